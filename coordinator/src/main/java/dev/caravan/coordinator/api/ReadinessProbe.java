package dev.caravan.coordinator.api;

import dev.caravan.coordinator.generate.Engine;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Is ready while the engine serves and a forward pass went through every worker recently. Callers'
 * tokens prove that; when there are none, it generates one of its own now and then. Thread-safe.
 */
public final class ReadinessProbe implements Readiness, AutoCloseable {
  private static final long PERIOD_MILLIS = 500;

  /** Without callers a token is generated this often. */
  private static final Duration IDLE = Duration.ofSeconds(10);

  private final Serving serving;
  private final Duration recently;
  private final LongSupplier nanoClock;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("readiness").factory());
  private boolean proven;
  private long provenNanos;
  private long knownTokens;
  private long recoveries;
  private boolean running;
  private @Nullable String failure;

  /**
   * @param recently a forward pass within this time counts
   */
  public ReadinessProbe(Serving serving, Duration recently, LongSupplier nanoClock) {
    this.serving = serving;
    this.recently = recently;
    this.nanoClock = nanoClock;
  }

  public void start() {
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(this::look, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public synchronized void check() {
    EngineStatus.State state = serving.loaded().engine().status().state();
    if (state != EngineStatus.State.SERVING) {
      throw notReady("the engine is " + state);
    }
    if (!proven || nanoClock.getAsLong() - provenNanos > recently.toNanos()) {
      throw notReady(
          "no forward pass through all workers succeeded within %d s%s"
              .formatted(recently.toSeconds(), failure == null ? "" : ": " + failure));
    }
  }

  /** Looks whether tokens were generated, and generates one if there is need. */
  void look() {
    Engine engine;
    synchronized (this) {
      try {
        engine = serving.loaded().engine();
      } catch (ClusterException e) {
        return;
      }
      EngineStatus status = engine.status();
      long tokens = status.promptTokens() + status.generatedTokens();
      if (status.state() == EngineStatus.State.RECOVERING || status.recoveries() != recoveries) {
        recoveries = status.recoveries();
        knownTokens = tokens;
        proven = false; // that was another epoch
      }
      if (tokens != knownTokens) {
        knownTokens = tokens;
        succeed();
      }
      boolean due = !proven || nanoClock.getAsLong() - provenNanos > IDLE.toNanos();
      if (!due || running || status.state() != EngineStatus.State.SERVING) {
        return;
      }
      running = true;
    }
    generate(engine);
  }

  private void generate(Engine engine) {
    EngineRequest request =
        new EngineRequest(
            new int[] {0},
            1,
            Set.of(),
            SamplingParameters.greedy(),
            EngineRequest.NO_LOGPROBS,
            false,
            Optional.empty(),
            recently);
    try {
      engine.submit(request, new Listener());
    } catch (ClusterException e) {
      fail(e);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  private synchronized void succeed() {
    proven = true;
    provenNanos = nanoClock.getAsLong();
    failure = null;
  }

  private synchronized void end() {
    running = false;
  }

  private synchronized void fail(ClusterException error) {
    running = false;
    failure = error.getMessage();
  }

  private static ClusterException notReady(String message) {
    return new ClusterException(ErrorCode.MODEL_NOT_READY, message);
  }

  /** Hears the probe's token. */
  private final class Listener implements GenerationListener {
    @Override
    public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
      succeed();
      return true;
    }

    @Override
    public void onEnd(End end) {
      end();
    }

    @Override
    public void onError(ClusterException error) {
      fail(error);
    }
  }
}
