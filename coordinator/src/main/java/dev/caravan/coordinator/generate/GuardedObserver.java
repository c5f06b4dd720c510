package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.model.error.ErrorCode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the failures of an observer away from the engine: they are logged. */
record GuardedObserver(EngineObserver observer) implements EngineObserver {
  private static final Logger LOG = LoggerFactory.getLogger(GuardedObserver.class);

  @Override
  public void onQueued() {
    guard(observer::onQueued);
  }

  @Override
  public void onRefused(ErrorCode code) {
    guard(() -> observer.onRefused(code));
  }

  @Override
  public void onStarted(long nanosSinceSubmit) {
    guard(() -> observer.onStarted(nanosSinceSubmit));
  }

  @Override
  public void onFirstToken(long nanosSinceSubmit) {
    guard(() -> observer.onFirstToken(nanosSinceSubmit));
  }

  @Override
  public void onNextToken(long nanosSincePrevious) {
    guard(() -> observer.onNextToken(nanosSincePrevious));
  }

  @Override
  public void onPreempted() {
    guard(observer::onPreempted);
  }

  @Override
  public void onEnd(EndReason reason, Totals totals) {
    guard(() -> observer.onEnd(reason, totals));
  }

  @Override
  public void onFailed(ErrorCode code, Totals totals) {
    guard(() -> observer.onFailed(code, totals));
  }

  @Override
  public void onStep(StepReport step) {
    guard(() -> observer.onStep(step));
  }

  private static void guard(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      LOG.error("an observer of the engine failed", e);
    }
  }
}
