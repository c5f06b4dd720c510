package dev.caravan.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LocalWorkersTest {

  @Test
  void endedWorkerIsDescribedWithItsExitCodeAndItsLastLines() {
    String script = "echo WARNING: Using incubator modules: x; echo first; echo second >&2; exit 7";
    try (LocalWorkers workers = new LocalWorkers(List.of("sh", "-c", script), false)) {
      workers.start(1, 4711);
      assertThat(workers.dyingWorker().orElseThrow())
          .matches(
              "(?s)worker local-0 \\(process \\d+\\) ended with exit code 7; it printed last: first\\n  second");
    }
  }

  @Test
  void onlyTheLastLinesOfALongOutputAreKept() {
    String script = "i=0; while [ $i -lt 500 ]; do echo line$i; i=$((i+1)); done; exit 1";
    try (LocalWorkers workers = new LocalWorkers(List.of("sh", "-c", script), false)) {
      workers.start(1, 4711);
      assertThat(workers.dyingWorker().orElseThrow())
          .contains("printed last: line480\n")
          .endsWith("line499")
          .hasLineCount(20);
    }
  }

  @Test
  void silentWorkerIsSaidToHavePrintedNothing() {
    try (LocalWorkers workers = new LocalWorkers(List.of("sh", "-c", "exit 3"), false)) {
      workers.start(1, 4711);
      assertThat(workers.dyingWorker().orElseThrow())
          .endsWith("ended with exit code 3; it printed nothing");
    }
  }

  @Test
  void livingWorkersAreNotDescribed() {
    try (LocalWorkers workers = new LocalWorkers(List.of("sh", "-c", "exec sleep 60"), false)) {
      workers.start(2, 4711);
      assertThat(workers.deadWorker()).isEmpty();
      workers.end();
    }
  }

  @Test
  void withoutWorkersNobodyIsDescribed() {
    try (LocalWorkers workers = new LocalWorkers(List.of("false"), false)) {
      assertThat(workers.dyingWorker()).isEmpty();
    }
  }
}
