package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.model.error.ClusterException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When the server says that it is ready. */
@Timeout(60)
final class ReadinessProbeTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong clock = new AtomicLong();
  private final Serving serving = new Serving();
  private final ScriptedEngine engine = new ScriptedEngine(_ -> new int[] {1, 1}, 2);
  private final ReadinessProbe probe =
      new ReadinessProbe(serving, Duration.ofSeconds(30), clock::get);

  @BeforeEach
  void load() {
    ServedModel model =
        new ServedModel(
            "m",
            0,
            ByteVocabulary.tokenizer(),
            Optional.empty(),
            Map.of(),
            new StructuredOutput(ByteVocabulary.tokenizer()),
            10);
    serving.ready(new Serving.Loaded(model, engine));
  }

  @AfterEach
  void stop() throws InterruptedException {
    probe.close();
    engine.close();
  }

  @Test
  void isNotReadyBeforeATokenWentThroughAllWorkers() throws InterruptedException {
    engine.allow(0);
    probe.look();
    engine.awaitRequests(1);
    assertThatThrownBy(probe::check).isInstanceOf(ClusterException.class);
    engine.allow(1);
    engine.awaitIdle();
    probe.check();
  }

  @Test
  void isNoLongerReadyWhenTokensStayAway() throws InterruptedException {
    probe.look();
    engine.awaitIdle();
    probe.check();
    engine.allow(0);
    clock.addAndGet(11 * SECOND);
    probe.look();
    clock.addAndGet(18 * SECOND);
    probe.check();
    clock.addAndGet(2 * SECOND);
    assertThatThrownBy(probe::check).hasMessageContaining("within 30 s");
  }

  @Test
  void generatesNothingWhileTokensAreFresh() throws InterruptedException {
    probe.look();
    engine.awaitIdle();
    clock.addAndGet(9 * SECOND);
    probe.look();
    assertThat(engine.requests()).hasSize(1);
    clock.addAndGet(2 * SECOND);
    probe.look();
    assertThat(engine.requests()).hasSize(2);
  }

  @Test
  void isNotReadyAtOnceWhenTheEngineLostAWorker() throws InterruptedException {
    probe.look();
    engine.awaitIdle();
    engine.become(EngineStatus.State.DEGRADED);
    assertThatThrownBy(probe::check).hasMessageContaining("DEGRADED");
  }
}
