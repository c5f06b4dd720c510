package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.generate.EngineObserver;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.model.error.ErrorCode;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs one line for each generation that ended or was refused; never its text. Thread-safe. */
public final class RequestLog implements EngineObserver {
  private static final Logger LOG = LoggerFactory.getLogger(RequestLog.class);

  private final AtomicLong lines = new AtomicLong();

  @Override
  public void onEnd(EndReason reason, Totals totals) {
    LOG.info(line(reason.name(), totals));
  }

  @Override
  public void onFailed(ErrorCode code, Totals totals) {
    LOG.warn(line(code.name(), totals));
  }

  @Override
  public void onRefused(ErrorCode code) {
    LOG.info("generation={} end={} refused", lines.incrementAndGet(), lower(code.name()));
  }

  private String line(String end, Totals totals) {
    return "generation=%d end=%s prompt_tokens=%d cached_tokens=%d output_tokens=%d ttft_ms=%d e2e_ms=%d"
        .formatted(
            lines.incrementAndGet(),
            lower(end),
            totals.promptTokens(),
            totals.cachedTokens(),
            totals.outputTokens(),
            TimeUnit.NANOSECONDS.toMillis(totals.firstTokenNanos()),
            TimeUnit.NANOSECONDS.toMillis(totals.nanos()));
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
