package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.EngineObserver.Totals;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.model.error.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RequestLogTest {
  private final PrintStream standardError = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @BeforeEach
  void catchLines() {
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setErr(standardError);
  }

  @Test
  void writesOneLineOfKeysAndValuesForEachGeneration() {
    RequestLog log = new RequestLog();
    log.onEnd(EndReason.LENGTH, new Totals(31_000_000, 901_000_000, 12, 3, 40));
    log.onFailed(ErrorCode.WORKER_LOST, new Totals(0, 5_000_000, 7, 0, 0));
    log.onRefused(ErrorCode.OVERLOADED);
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .contains("INFO")
        .endsWith(
            "generation=1 end=length prompt_tokens=12 cached_tokens=3 output_tokens=40 "
                + "ttft_ms=31 e2e_ms=901");
    assertThat(lines.get(1))
        .contains("WARN")
        .endsWith(
            "generation=2 end=worker_lost prompt_tokens=7 cached_tokens=0 output_tokens=0 "
                + "ttft_ms=0 e2e_ms=5");
    assertThat(lines.get(2)).endsWith("generation=3 end=overloaded refused");
  }
}
