package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workers of a server come and go, and so does the server: each finds the others again. */
@Timeout(300)
class RecoveryIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<ChildJvm> started = new ArrayList<>();
  private final int workersPort;
  private final int httpPort;

  RecoveryIT() throws IOException {
    workersPort = freePort();
    httpPort = freePort();
  }

  @AfterEach
  void endAll() {
    client.shutdownNow();
    started.forEach(ChildJvm::close);
  }

  @Test
  void killedTerminatedAndFrozenWorkersAndAKilledCoordinatorComeBack() throws Exception {
    try (DemoModel model = DemoModel.write()) {
      ChildJvm first = worker("w-0");
      ChildJvm second = worker("w-1");
      ChildJvm serve = serve(model);
      serve.awaitErr(text -> text.contains("ready to serve"), PATIENCE);
      String expected = story().get(60, TimeUnit.SECONDS).body();
      assertThat(expected).contains("\"finish_reason\":\"length\"");

      // SIGKILL under a running generation; the worker that comes back has another port.
      CompletableFuture<HttpResponse<String>> running = story();
      second.close();
      serve.awaitErr(text -> text.contains("the cluster failed"), PATIENCE);
      assertThat(get("/readyz")).isEqualTo(503);
      HttpResponse<String> refused = story().get(20, TimeUnit.SECONDS);
      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
      assertThat(refused.headers().firstValue("retry-after")).isPresent();
      second = worker("w-1");
      assertThat(text(running.get(60, TimeUnit.SECONDS).body())).isEqualTo(text(expected));
      awaitReady();
      serve.awaitErr(text -> text.contains("epoch=2 worker=w-0 stage=0 rank=0 kept"), PATIENCE);

      // SIGTERM: it leaves in order.
      running = story();
      ChildJvm.signal("TERM", first.handle());
      serve.awaitErr(text -> text.contains("worker=w-0 lost: it left"), PATIENCE);
      first.awaitExit(Duration.ofSeconds(20));
      first = worker("w-0");
      assertThat(text(running.get(60, TimeUnit.SECONDS).body())).isEqualTo(text(expected));
      serve.awaitErr(text -> text.contains("epoch=3 worker=w-1 stage=0 rank=1 kept"), PATIENCE);

      // SIGSTOP longer than the lease: it lives, hears that it was lost, and joins again.
      running = story();
      ChildJvm.signal("STOP", second.handle());
      serve.awaitErr(text -> text.contains("silent for more than 8000 ms"), PATIENCE);
      ChildJvm.signal("CONT", second.handle());
      assertThat(text(running.get(60, TimeUnit.SECONDS).body())).isEqualTo(text(expected));
      serve.awaitErr(text -> text.contains("epoch=4 worker=w-1 stage=0 rank=1 kept"), PATIENCE);

      // The coordinator itself: its workers wait for the next one, with their weights.
      serve.close();
      first.awaitErr(text -> text.contains("looking for it again"), PATIENCE);
      ChildJvm next = serve(model);
      next.awaitErr(text -> text.contains("ready to serve"), PATIENCE);
      assertThat(next.err()).contains("epoch=5 worker=w-0 stage=0 rank=0 kept", "rank=1 kept");
      assertThat(text(story().get(60, TimeUnit.SECONDS).body())).isEqualTo(text(expected));
    }
  }

  private ChildJvm serve(DemoModel model) throws IOException {
    return started(
        ChildJvm.caravan(
            "serve",
            "--model",
            model.file(),
            "--remote-workers",
            2,
            "--listen",
            "127.0.0.1:" + workersPort,
            "--http",
            "127.0.0.1:" + httpPort));
  }

  private ChildJvm worker(String id) throws IOException {
    return started(
        ChildJvm.worker("--coordinator", "localhost:" + workersPort, "--id", id, "--stay"));
  }

  private ChildJvm started(ChildJvm jvm) {
    started.add(jvm);
    return jvm;
  }

  /** Long enough that a worker can be lost in the middle. */
  private CompletableFuture<HttpResponse<String>> story() {
    String body =
        """
        {"prompt":"Once upon a time","max_tokens":150,"temperature":0,"ignore_eos":true}\
        """;
    return client.sendAsync(
        request("/v1/completions").POST(BodyPublishers.ofString(body)).build(),
        BodyHandlers.ofString());
  }

  private static String text(String answer) {
    int start = answer.indexOf("\"text\":");
    assertThat(start).as(answer).isPositive();
    return answer.substring(start, answer.indexOf("\"finish_reason\""));
  }

  private void awaitReady() throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (get("/readyz") != 200) {
      assertThat(System.nanoTime()).as("the deadline").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private int get(String path) throws Exception {
    return client.send(request(path).build(), BodyHandlers.ofString()).statusCode();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
        .timeout(PATIENCE);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
