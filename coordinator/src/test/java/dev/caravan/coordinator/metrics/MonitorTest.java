package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.EngineObserver.Totals;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.StepReport;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Reads the literal text of a scrape. */
class MonitorTest {
  private static final Pattern COMMENT =
      Pattern.compile("# (HELP [a-z_:0-9]+ .+|TYPE [a-z_:0-9]+ (counter|gauge|histogram|summary))");
  private static final Pattern SAMPLE =
      Pattern.compile("[a-z_:0-9]+(\\{([a-z_]+=\"[^\"\\\\]*\",?)+})? -?[0-9.]+(E-?[0-9]+)?");

  private final EngineCounts counts = new EngineCounts(2, 256, () -> 0);
  private final Monitor monitor =
      new Monitor(
          SmallCluster.of(1, 2, true, member -> member.port() == 4000), StillEngine.BUSY, counts);

  @Test
  void tellsTheEnginesStateInVllmsNames() {
    assertThat(monitor.metrics())
        .contains(
            "# TYPE vllm:num_requests_running gauge\n"
                + "vllm:num_requests_running{model_name=\"tiny\"} 3\n",
            "\nvllm:num_requests_waiting{model_name=\"tiny\"} 2\n",
            "\nvllm:kv_cache_usage_perc{model_name=\"tiny\"} 0.25\n",
            "# TYPE vllm:num_preemptions_total counter\n"
                + "vllm:num_preemptions_total{model_name=\"tiny\"} 5\n",
            "\nvllm:prefix_cache_queries_total{model_name=\"tiny\"} 400\n",
            "\nvllm:prefix_cache_hits_total{model_name=\"tiny\"} 300\n",
            "\nvllm:prompt_tokens_total{model_name=\"tiny\"} 1200\n",
            "\nvllm:generation_tokens_total{model_name=\"tiny\"} 7000\n");
  }

  @Test
  void countsEndsByReasonAlsoThoseThatNeverHappened() {
    counts.onEnd(EndReason.STOP, new Totals(1, 1, 1, 0, 1));
    counts.onEnd(EndReason.CANCELLED, new Totals(1, 1, 1, 0, 1));
    counts.onEnd(EndReason.CANCELLED, new Totals(1, 1, 1, 0, 1));
    counts.onFailed(ErrorCode.WORKER_LOST, new Totals(0, 1, 1, 0, 0));
    assertThat(monitor.metrics())
        .contains(
            "vllm:request_success_total{model_name=\"tiny\",finished_reason=\"stop\"} 1\n"
                + "vllm:request_success_total{model_name=\"tiny\",finished_reason=\"length\"} 0\n"
                + "vllm:request_success_total{model_name=\"tiny\",finished_reason=\"abort\"} 2\n"
                + "vllm:request_success_total{model_name=\"tiny\",finished_reason=\"error\"} 1\n");
  }

  @Test
  void distributesTimesAndLengthsInVllmsBuckets() {
    counts.onStarted(400_000_000);
    counts.onFirstToken(30_000_000);
    counts.onNextToken(10_000_000);
    counts.onNextToken(250_000_000);
    counts.onEnd(EndReason.LENGTH, new Totals(30_000_000, 900_000_000, 12, 0, 3));
    assertThat(monitor.metrics())
        .contains(
            "# TYPE vllm:time_to_first_token_seconds histogram\n"
                + "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.001\"} 0\n",
            "\nvllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.02\"} 0\n",
            "\nvllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.04\"} 1\n",
            "\nvllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"2560.0\"} 1\n",
            "\nvllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"+Inf\"} 1\n"
                + "vllm:time_to_first_token_seconds_sum{model_name=\"tiny\"} 0.03\n"
                + "vllm:time_to_first_token_seconds_count{model_name=\"tiny\"} 1\n",
            "\nvllm:inter_token_latency_seconds_bucket{model_name=\"tiny\",le=\"0.01\"} 1\n",
            "\nvllm:inter_token_latency_seconds_bucket{model_name=\"tiny\",le=\"80.0\"} 2\n",
            "\nvllm:inter_token_latency_seconds_sum{model_name=\"tiny\"} 0.26\n",
            "\nvllm:request_time_per_output_token_seconds_sum{model_name=\"tiny\"} 0.435\n",
            "\nvllm:request_queue_time_seconds_bucket{model_name=\"tiny\",le=\"0.5\"} 1\n",
            "\nvllm:e2e_request_latency_seconds_sum{model_name=\"tiny\"} 0.9\n",
            "\nvllm:request_prompt_tokens_bucket{model_name=\"tiny\",le=\"10.0\"} 0\n"
                + "vllm:request_prompt_tokens_bucket{model_name=\"tiny\",le=\"20.0\"} 1\n",
            "\nvllm:request_generation_tokens_sum{model_name=\"tiny\"} 3.0\n");
  }

  @Test
  void tellsWhatEachWorkerIsAndSpends() {
    WorkerTimes quick = new WorkerTimes(1_000_000_000, 500_000_000, 250_000_000, 40);
    WorkerTimes slow = new WorkerTimes(2_000_000_000, 0, 0, 60);
    counts.onStep(new StepReport(3, 14, 9, List.of(quick, slow)));
    counts.onStep(new StepReport(3, 0, 9, List.of(quick, slow)));
    String first = "{model_name=\"tiny\",worker=\"local-0\",stage=\"0\",rank=\"0\"} ";
    String second = "{model_name=\"tiny\",worker=\"local-1\",stage=\"0\",rank=\"1\"} ";
    assertThat(monitor.metrics())
        .contains(
            "caravan_worker_up" + first + "1\ncaravan_worker_up" + second + "0\n",
            "# TYPE caravan_compute_seconds summary\ncaravan_compute_seconds_sum" + first + "2.0\n",
            "caravan_compute_seconds_count" + first + "2\n",
            "caravan_compute_seconds_sum" + second + "4.0\n",
            "caravan_allreduce_seconds_sum" + first + "1.0\n",
            "caravan_wait_seconds_sum" + first + "0.5\n",
            "# TYPE caravan_sync_bytes_total counter\ncaravan_sync_bytes_total" + first + "80\n",
            "caravan_resident_bytes" + second + "1501\n",
            "vllm:iteration_tokens_total_bucket{model_name=\"tiny\",le=\"8.0\"} 1\n",
            "vllm:iteration_tokens_total_sum{model_name=\"tiny\"} 20.0\n");
  }

  @Test
  void everyLineIsWellFormedAndEveryFamilyStandsOnce() {
    List<String> lines = monitor.metrics().lines().toList();
    assertThat(lines)
        .allMatch(line -> COMMENT.matcher(line).matches() || SAMPLE.matcher(line).matches());
    assertThat(lines.stream().filter(line -> line.startsWith("# TYPE")).toList())
        .doesNotHaveDuplicates()
        .hasSize(24 + 6);
  }

  @Test
  void tellsWhatTheProcessUses() {
    assertThat(monitor.metrics())
        .containsPattern("\njvm_memory_used_bytes\\{area=\"heap\"} [1-9][0-9]*\n")
        .containsPattern("\njvm_buffer_pool_used_bytes\\{pool=\"direct\"} [0-9]+\n")
        .containsPattern("\njvm_threads_current [1-9][0-9]*\n")
        .containsPattern("\nprocess_resident_memory_bytes [1-9][0-9]{6,}\n")
        .containsPattern("\nprocess_cpu_seconds_total [0-9.]+\n");
  }

  @Test
  void escapesWhatALabelMustNotHold() {
    assertThat(Labels.NONE.and("model_name", "a\"b\\c\nd").text())
        .isEqualTo("model_name=\"a\\\"b\\\\c\\nd\"");
  }
}
