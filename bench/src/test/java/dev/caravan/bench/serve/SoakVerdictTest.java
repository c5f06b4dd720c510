package dev.caravan.bench.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.bench.serve.SoakVerdict.Check;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

final class SoakVerdictTest {
  private static final double MEBIBYTE = 1 << 20;
  private static final int SECONDS = 100;
  private static final SoakCounts FINE = new SoakCounts(50, 20, 10, 5, Map.of());
  private static final ServerSample IDLE = sample(100, 10, 300, 40, 0);

  /** A heap that fills to 100 MiB and is collected down to 20, and nothing else that moves. */
  private static ServerSample steady(int second) {
    return sample(20 + second % 9 * 10, 10, 300, 40, 0.5);
  }

  private static ServerSample sample(
      double heapMib, double directMib, double residentMib, int threads, double kvUsage) {
    return new ServerSample(
        kvUsage == 0 ? 0 : 3,
        0,
        kvUsage,
        heapMib * MEBIBYTE,
        directMib * MEBIBYTE,
        residentMib * MEBIBYTE,
        threads);
  }

  private static SoakVerdict judge(IntFunction<ServerSample> load) {
    return judge(FINE, load, IDLE);
  }

  private static SoakVerdict judge(
      SoakCounts counts, IntFunction<ServerSample> load, ServerSample end) {
    List<ServerSample> samples = new ArrayList<>();
    for (int second = 0; second < SECONDS; second++) {
      samples.add(load.apply(second));
    }
    return SoakVerdict.of(counts, samples, end);
  }

  private static List<String> failed(SoakVerdict verdict) {
    return verdict.checks().stream().filter(check -> !check.passed()).map(Check::name).toList();
  }

  @Test
  void passesAServerThatStaysWhatItWas() {
    SoakVerdict verdict = judge(SoakVerdictTest::steady);
    assertThat(verdict.passed()).isTrue();
    assertThat(verdict.checks())
        .extracting(Check::name)
        .containsExactly(
            "requests",
            "idle at the end",
            "KV blocks",
            "heap",
            "direct memory",
            "resident memory",
            "threads");
    assertThat(verdict.checks().get(3).figures())
        .isEqualTo("20.0 MiB early, 20.0 MiB late, at most 38.0 MiB");
  }

  @Test
  void growthDuringTheWarmUpIsNone() {
    SoakVerdict verdict =
        judge(second -> second < 20 ? sample(2, 1, 100, 10, 0.1) : steady(second));
    assertThat(failed(verdict)).isEmpty();
  }

  @Test
  void findsAHeapWhoseFloorRises() {
    SoakVerdict verdict =
        judge(second -> sample(20 + second % 9 * 10 + second * 0.5, 10, 300, 40, 0.5));
    assertThat(failed(verdict)).containsExactly("heap");
  }

  @Test
  void findsBuffersThreadsAndPagesThatAreNotGivenBack() {
    assertThat(failed(judge(second -> sample(20, 10 + second * 0.2, 300, 40, 0.5))))
        .containsExactly("direct memory");
    assertThat(failed(judge(second -> sample(20, 10, 300 + second * 2, 40, 0.5))))
        .containsExactly("resident memory");
    assertThat(failed(judge(second -> sample(20, 10, 300, 40 + second / 10, 0.5))))
        .containsExactly("threads");
  }

  @Test
  void findsBlocksAndRequestsThatAreLeft() {
    assertThat(failed(judge(FINE, SoakVerdictTest::steady, sample(20, 10, 300, 40, 0.01))))
        .containsExactly("idle at the end", "KV blocks");
  }

  @Test
  void failsOnAnyFailedRequestAndIfNoneWasAnswered() {
    SoakCounts lost = new SoakCounts(50, 0, 0, 0, Map.of("WORKER_LOST: gone", 1L));
    assertThat(failed(judge(lost, SoakVerdictTest::steady, IDLE))).containsExactly("requests");
    SoakCounts none = new SoakCounts(0, 0, 0, 9, Map.of());
    assertThat(failed(judge(none, SoakVerdictTest::steady, IDLE))).containsExactly("requests");
  }

  @Test
  void whatTheServerDoesNotTellHasNotPassed() {
    ServerSample silent = ServerSample.parse("vllm:num_requests_running 0\n");
    SoakVerdict verdict = judge(FINE, _ -> silent, silent);
    assertThat(failed(verdict))
        .containsExactly("idle at the end", "KV blocks", "heap", "direct memory", "threads");
  }

  @Test
  void tooFewSamplesHaveNotPassed() {
    assertThat(failed(SoakVerdict.of(FINE, List.of(steady(1)), IDLE))).containsExactly("samples");
  }

  @Test
  void readsTheMetricsThatTheServerWrites() {
    String metrics =
        """
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{model_name="m"} 3
        vllm:num_requests_waiting{model_name="m"} 2
        vllm:kv_cache_usage_perc{model_name="m"} 0.25
        jvm_memory_used_bytes{area="heap"} 1000
        jvm_memory_used_bytes{area="nonheap"} 7
        jvm_buffer_pool_used_bytes{pool="mapped"} 5
        jvm_buffer_pool_used_bytes{pool="direct"} 40
        jvm_threads_current 21
        process_resident_memory_bytes 1.5E3
        """;
    assertThat(ServerSample.parse(metrics))
        .isEqualTo(new ServerSample(3, 2, 0.25, 1000, 40, 1500, 21));
  }
}
