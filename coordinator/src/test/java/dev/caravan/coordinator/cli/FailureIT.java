package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that die or freeze in mid-generation: the command says who, and leaves nothing behind.
 */
@Timeout(240)
class FailureIT {
  private static final int WORKERS = 3;
  private static final Duration START = Duration.ofSeconds(120);
  private static final Duration LEASE = Duration.ofSeconds(8);

  /** The promise for a killed worker, in milliseconds. */
  private static final long KILL_MILLIS = 5_000;

  @TempDir static Path directory;
  private ChildJvm command;
  private List<ProcessHandle> workers;

  @BeforeEach
  void generateForEver() throws IOException, InterruptedException {
    Path model = SmallModels.endless(directory.resolve("endless.gguf"));
    command =
        ChildJvm.caravan(
            "generate",
            "--model",
            model,
            "--ids",
            "1,2,3",
            "--workers",
            WORKERS,
            "--ctx",
            1 << 17,
            "--max-tokens",
            1 << 17,
            "--threads",
            1);
    command.awaitOut(text -> text.chars().filter(c -> c == ' ').count() >= 20, START);
    workers = command.localWorkers();
    assertThat(workers).hasSize(WORKERS);
  }

  @AfterEach
  void endEverything() {
    workers.forEach(ProcessHandle::destroyForcibly);
    command.close();
  }

  @Test
  void killedWorkerEndsTheCommandWithItsNameItsAddressAndTheStep() throws Exception {
    ProcessHandle victim = workers.get(1);
    long start = System.nanoTime();
    ChildJvm.signal("KILL", victim);
    int exitCode = command.awaitExit(Duration.ofSeconds(30));
    long millis = (System.nanoTime() - start) / 1_000_000;
    assertNames("local-1", victim);
    assertThat(exitCode).isEqualTo(3);
    assertThat(millis).isLessThan(KILL_MILLIS);
    assertNothingRuns(Duration.ofSeconds(2));
  }

  @Test
  void frozenWorkerEndsTheCommandWhenItsLeaseRunsOut() throws Exception {
    ProcessHandle victim = workers.get(2);
    long start = System.nanoTime();
    ChildJvm.signal("STOP", victim);
    int exitCode = command.awaitExit(Duration.ofSeconds(40));
    long millis = (System.nanoTime() - start) / 1_000_000;
    assertNames("local-2", victim);
    assertThat(command.errors().getFirst()).contains("silent for more than 8000 ms");
    assertThat(exitCode).isEqualTo(3);
    assertThat(millis).isLessThan(LEASE.toMillis() + KILL_MILLIS);
    assertNothingRuns(Duration.ofSeconds(2));
  }

  @Test
  void workersEndByThemselvesWhenTheirCoordinatorIsKilled() throws Exception {
    ChildJvm.signal("KILL", command.handle());
    assertNothingRuns(Duration.ofSeconds(8));
  }

  @Test
  void terminatedCoordinatorTakesItsWorkersAlong() throws Exception {
    ChildJvm.signal("TERM", command.handle());
    assertThat(command.awaitExit(Duration.ofSeconds(8))).isEqualTo(143);
    assertNothingRuns(Duration.ofSeconds(2));
  }

  private void assertNames(String id, ProcessHandle victim) {
    // Where loading takes seconds, it says how far it is.
    List<String> errors =
        command.errors().stream()
            .filter(line -> !line.matches("caravan: (loading: |all weights are loaded).*"))
            .toList();
    assertThat(errors).as(command.err()).hasSize(1);
    assertThat(errors.getFirst())
        .matches("caravan: step \\d+: worker " + id + " \\(stage 0, rank \\d, .*")
        .containsPattern("127\\.0\\.0\\.1:\\d+, process " + victim.pid() + "\\)");
  }

  private void assertNothingRuns(Duration deadline) throws Exception {
    for (ProcessHandle worker : workers) {
      assertThat(ChildJvm.awaitGone(worker, deadline))
          .as("process %d ended", worker.pid())
          .isTrue();
    }
    assertThat(ChildJvm.awaitGone(command.handle(), deadline)).isTrue();
  }
}
