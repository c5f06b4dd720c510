package dev.caravan.k8s.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.k8s.net.HostProcess;
import dev.caravan.k8s.net.Link;
import java.io.BufferedReader;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pods that are stopped, and started again elsewhere. */
@Timeout(600)
class RestartIT {
  private static final int TOKENS = 12;
  private static final int STREAMS = 8;
  private static final int STREAM_TOKENS = 120;
  private static final int DRAIN_SECONDS = 240;
  private static final int EXIT_BY_TERM = 128 + 15;
  private static final int EXIT_BY_KILL = 128 + 9;

  @TempDir Path directory;

  @Test
  void workersComeBackUnderOtherAddressesAndTheOthersKeepTheirWeights() throws Exception {
    try (HostedCluster cluster = open(3);
        HostedApi api = cluster.client()) {
      HostProcess coordinator = cluster.serve(3, List.of());
      String text = api.text(TOKENS);

      stop(cluster, api, "worker-1", "TERM");
      assertThat(cluster.process("worker-1").awaitExit(HostedCluster.PATIENCE))
          .isEqualTo(EXIT_BY_TERM);
      startAgain(cluster, api, "worker-1", 2, List.of("worker-0", "worker-2"));
      assertThat(api.text(TOKENS)).isEqualTo(text);

      stop(cluster, api, "worker-2", "KILL");
      assertThat(cluster.process("worker-2").awaitExit(HostedCluster.PATIENCE))
          .isEqualTo(EXIT_BY_KILL);
      startAgain(cluster, api, "worker-2", 3, List.of("worker-0", "worker-1"));
      assertThat(api.text(TOKENS)).isEqualTo(text);

      assertThat(coordinator.isAlive()).isTrue();
    }
  }

  @Test
  void terminatedCoordinatorFinishesItsStreamsRefusesTheRestAndExitsWithZero() throws Exception {
    try (HostedCluster cluster = open(2);
        HostedApi api = cluster.client()) {
      HostProcess coordinator = cluster.serve(2, List.of("--drain-timeout", DRAIN_SECONDS));
      List<BufferedReader> streams = new ArrayList<>();
      for (int i = 0; i < STREAMS; i++) {
        BufferedReader stream = api.stream(STREAM_TOKENS);
        assertThat(stream.readLine()).startsWith("data: ");
        streams.add(stream);
      }
      assertThat(api.get("/metrics").body())
          .containsPattern("vllm:num_requests_running\\{[^}]*} %d\n".formatted(STREAMS));
      coordinator.signal("TERM");
      coordinator.awaitErr(text -> text.contains("caravan: ending"), HostedCluster.PATIENCE);
      assertRefused(api);
      for (BufferedReader stream : streams) {
        assertThat(stream.lines().filter(line -> !line.isEmpty()).toList())
            .endsWith("data: [DONE]")
            .noneMatch(line -> line.contains("\"error\""));
      }
      assertThat(coordinator.awaitExit(HostedCluster.PATIENCE)).as(coordinator.err()).isZero();
    }
  }

  private HostedCluster open(int workers) throws Exception {
    return HostedCluster.open(RestartIT.class, directory, Link.UNLIMITED, workers, Map.of());
  }

  /** Stops a worker and checks what clients and probes are told meanwhile. */
  private static void stop(HostedCluster cluster, HostedApi api, String worker, String signal)
      throws Exception {
    cluster.process(worker).signal(signal);
    cluster.host(worker).unpublish(worker);
    api.awaitReadiness(503);
    assertRefused(api);
    assertThat(api.get("/livez").statusCode()).isEqualTo(200);
  }

  private static void assertRefused(HostedApi api) throws Exception {
    HttpResponse<String> refused = api.complete(TOKENS);
    assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
    assertThat(refused.headers().firstValue("retry-after")).isPresent();
  }

  /** Starts a worker on a host that was not there yet. */
  private static void startAgain(
      HostedCluster cluster, HostedApi api, String worker, int epoch, List<String> survivors)
      throws Exception {
    String elsewhere = "spare-" + epoch;
    cluster.addHost(elsewhere);
    cluster.startWorker(worker, elsewhere);
    api.awaitReadiness(200);
    String log = cluster.process(HostedCluster.COORDINATOR).err();
    for (String survivor : survivors) {
      assertThat(log)
          .containsPattern(
              "epoch=%d worker=%s stage=0 rank=\\d kept its shard".formatted(epoch, survivor));
    }
    assertThat(log)
        .doesNotContainPattern(
            "epoch=%d worker=%s stage=0 rank=\\d kept its shard".formatted(epoch, worker));
  }
}
