package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.generate.EngineObserver;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.StepReport;
import dev.caravan.model.error.ErrorCode;
import java.util.List;

/** Tells several observers everything, in their order. As thread-safe as they are. */
public record AllObservers(List<EngineObserver> observers) implements EngineObserver {

  public AllObservers {
    observers = List.copyOf(observers);
  }

  @Override
  public void onQueued() {
    observers.forEach(EngineObserver::onQueued);
  }

  @Override
  public void onRefused(ErrorCode code) {
    observers.forEach(each -> each.onRefused(code));
  }

  @Override
  public void onStarted(long nanosSinceSubmit) {
    observers.forEach(each -> each.onStarted(nanosSinceSubmit));
  }

  @Override
  public void onFirstToken(long nanosSinceSubmit) {
    observers.forEach(each -> each.onFirstToken(nanosSinceSubmit));
  }

  @Override
  public void onNextToken(long nanosSincePrevious) {
    observers.forEach(each -> each.onNextToken(nanosSincePrevious));
  }

  @Override
  public void onPreempted() {
    observers.forEach(EngineObserver::onPreempted);
  }

  @Override
  public void onEnd(EndReason reason, Totals totals) {
    observers.forEach(each -> each.onEnd(reason, totals));
  }

  @Override
  public void onFailed(ErrorCode code, Totals totals) {
    observers.forEach(each -> each.onFailed(code, totals));
  }

  @Override
  public void onStep(StepReport step) {
    observers.forEach(each -> each.onStep(step));
  }
}
