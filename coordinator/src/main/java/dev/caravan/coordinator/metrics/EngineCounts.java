package dev.caravan.coordinator.metrics;

import static java.util.Objects.requireNonNull;

import dev.caravan.coordinator.generate.EngineObserver;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.StepReport;
import dev.caravan.model.error.ErrorCode;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** Counts what an engine does, for metrics and for the page. Thread-safe. */
public final class EngineCounts implements EngineObserver {
  private static final double[] LATENCY_SECONDS = {
    0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680
  };
  private static final double[] FIRST_TOKEN_SECONDS = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
    80, 160, 640, 2560
  };
  private static final double[] TOKEN_SECONDS = {
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80
  };
  private static final double[] STEP_TOKENS = {
    1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384
  };

  private final Histograms histograms;
  private final Map<Finish, LongAdder> ends = new EnumMap<>(Finish.class);
  private final TokenRate rate;
  private final WorkerLoad load;

  /** How a request ended, in vLLM's words. */
  enum Finish {
    STOP,
    LENGTH,
    ABORT,
    ERROR
  }

  /** Distributions, with vLLM's buckets; times in seconds. */
  record Histograms(
      Histogram firstToken,
      Histogram interToken,
      Histogram perOutputToken,
      Histogram endToEnd,
      Histogram queued,
      Histogram promptTokens,
      Histogram generationTokens,
      Histogram stepTokens) {}

  /**
   * @param workers of the plan
   * @param contextLength most tokens of a request
   * @param nanoClock monotonic clock in nanoseconds
   */
  public EngineCounts(int workers, int contextLength, LongSupplier nanoClock) {
    this.histograms =
        new Histograms(
            new Histogram(FIRST_TOKEN_SECONDS),
            new Histogram(TOKEN_SECONDS),
            new Histogram(TOKEN_SECONDS),
            new Histogram(LATENCY_SECONDS),
            new Histogram(LATENCY_SECONDS),
            Histogram.upTo(contextLength),
            Histogram.upTo(contextLength),
            new Histogram(STEP_TOKENS));
    for (Finish finish : Finish.values()) {
      ends.put(finish, new LongAdder());
    }
    this.rate = new TokenRate(nanoClock);
    this.load = new WorkerLoad(workers);
  }

  @Override
  public void onStarted(long nanosSinceSubmit) {
    histograms.queued.observe(seconds(nanosSinceSubmit));
  }

  @Override
  public void onFirstToken(long nanosSinceSubmit) {
    rate.add(1);
    histograms.firstToken.observe(seconds(nanosSinceSubmit));
  }

  @Override
  public void onNextToken(long nanosSincePrevious) {
    rate.add(1);
    histograms.interToken.observe(seconds(nanosSincePrevious));
  }

  @Override
  public void onEnd(EndReason reason, Totals totals) {
    ended(
        switch (reason) {
          case STOP -> Finish.STOP;
          case LENGTH -> Finish.LENGTH;
          case CANCELLED -> Finish.ABORT;
        },
        totals);
  }

  @Override
  public void onFailed(ErrorCode code, Totals totals) {
    ended(Finish.ERROR, totals);
  }

  @Override
  public void onStep(StepReport step) {
    histograms.stepTokens.observe(step.decodeRows() + step.promptRows());
    load.add(step.workers());
  }

  private void ended(Finish finish, Totals totals) {
    requireNonNull(ends.get(finish)).increment();
    histograms.endToEnd.observe(seconds(totals.nanos()));
    if (totals.outputTokens() > 1) {
      double pauses = totals.outputTokens() - 1;
      histograms.perOutputToken.observe(
          seconds(totals.nanos() - totals.firstTokenNanos()) / pauses);
    }
    histograms.promptTokens.observe(totals.promptTokens());
    histograms.generationTokens.observe(totals.outputTokens());
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }

  Histograms histograms() {
    return histograms;
  }

  /** How many requests ended, for each reason. */
  Map<Finish, Long> ends() {
    Map<Finish, Long> counts = new EnumMap<>(Finish.class);
    ends.forEach((finish, count) -> counts.put(finish, count.sum()));
    return counts;
  }

  /** Tokens of the latest seconds. */
  public TokenRate rate() {
    return rate;
  }

  /** What each worker spent. */
  public WorkerLoad load() {
    return load;
  }
}
