package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Workers that are started by hand, as on other machines. */
@Timeout(240)
class RemoteWorkersIT {
  private static final Duration DEADLINE = Duration.ofSeconds(120);

  @TempDir static Path directory;
  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModels.plain(directory.resolve("model.gguf"), DType.F32);
  }

  @Test
  void workersMayComeBeforeAndAfterTheCoordinator() throws Exception {
    String address = "127.0.0.1:" + freePort();
    try (ChildJvm early = ChildJvm.worker("--coordinator", address, "--id", "early");
        ChildJvm command =
            ChildJvm.caravan(
                "generate",
                "--model",
                model,
                "--ids",
                "1,2,3",
                "--max-tokens",
                4,
                "--format",
                "json",
                "--remote-workers",
                2,
                "--listen",
                address,
                "--check-ranks")) {
      command.awaitErr(text -> text.contains("waiting for 2 workers"), DEADLINE);
      try (ChildJvm late = ChildJvm.worker("--coordinator", address)) {
        assertThat(command.awaitExit(DEADLINE)).as(command.err()).isZero();
        assertThat(command.out()).startsWith("{\"prompt_ids\":[1,2,3]").contains("\"length\"");
        assertThat(early.awaitExit(DEADLINE)).as(early.err()).isZero();
        assertThat(late.awaitExit(DEADLINE)).as(late.err()).isZero();
        assertThat(early.errors()).isEmpty();
        assertThat(late.errors()).isEmpty();
      }
    }
  }

  @Test
  void workerWithAnotherModelEndsTheCommand() throws Exception {
    Path other = directory.resolve("other.gguf");
    TinyLlama.write(other, SmallModels.CONFIG, name -> DType.F32, 2);
    String address = "127.0.0.1:" + freePort();
    try (ChildJvm command =
            ChildJvm.caravan(
                "generate",
                "--model",
                model,
                "--ids",
                "1",
                "--remote-workers",
                1,
                "--listen",
                address);
        ChildJvm worker = ChildJvm.worker("--coordinator", address, "--model", other)) {
      assertThat(command.awaitExit(DEADLINE)).isEqualTo(2);
      assertThat(command.out()).isEmpty();
      assertThat(command.errors()).hasSize(2);
      assertThat(command.errors().getFirst()).contains("waiting for 1 workers");
      assertThat(command.errors().getLast())
          .contains(
              "other.gguf",
              "another model than the coordinator's",
              "fingerprint",
              "process " + worker.handle().pid());
      worker.awaitExit(DEADLINE);
    }
  }

  @Test
  void workerThatFindsNoCoordinatorSaysWhere() throws Exception {
    String address = "127.0.0.1:" + freePort();
    try (ChildJvm worker = ChildJvm.worker("--coordinator", address, "--join-seconds", 1)) {
      assertThat(worker.awaitExit(Duration.ofSeconds(30))).isEqualTo(3);
      assertThat(worker.errors()).hasSize(1);
      assertThat(worker.errors().getFirst())
          .startsWith("caravan worker: ")
          .contains("cannot join the coordinator at " + address);
    }
  }

  @Test
  void workerWhoseOwnAddressIsTakenSaysSo() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      try (ChildJvm worker = ChildJvm.worker("--coordinator", "127.0.0.1:1", "--listen", address)) {
        assertThat(worker.awaitExit(Duration.ofSeconds(30))).isEqualTo(2);
        assertThat(worker.errors()).hasSize(1);
        assertThat(worker.errors().getFirst()).contains("cannot listen on " + address);
      }
    }
  }

  @Test
  void workerWhoseIdAnotherOneTakesEndsAndTheOtherStays() throws Exception {
    String address = "127.0.0.1:" + freePort();
    try (ChildJvm command =
            ChildJvm.caravan(
                "generate",
                "--model",
                model,
                "--ids",
                "1",
                "--max-tokens",
                1,
                "--format",
                "json",
                "--remote-workers",
                2,
                "--listen",
                address);
        ChildJvm first = ChildJvm.worker("--coordinator", address, "--id", "same");
        ChildJvm second = ChildJvm.worker("--coordinator", address, "--id", "same")) {
      ChildJvm refused = firstToEnd(first, second);
      assertThat(refused.awaitExit(DEADLINE)).isEqualTo(2);
      assertThat(refused.errors()).hasSize(1);
      assertThat(refused.errors().getFirst())
          .contains("refused this worker", "worker same", "joined under its id", "--id");
      try (ChildJvm third = ChildJvm.worker("--coordinator", address, "--id", "other")) {
        assertThat(command.awaitExit(DEADLINE)).as(command.err()).isZero();
        assertThat(third.awaitExit(DEADLINE)).isZero();
      }
    }
  }

  private static ChildJvm firstToEnd(ChildJvm first, ChildJvm second) throws Exception {
    java.util.concurrent.CompletableFuture.anyOf(first.handle().onExit(), second.handle().onExit())
        .get(DEADLINE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
    return first.handle().isAlive() ? second : first;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
