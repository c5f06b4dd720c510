package dev.caravan.coordinator.api;

import dev.caravan.coordinator.generate.Engine;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/**
 * What the server can do at the moment: nothing yet, everything, or nothing any more. Thread-safe.
 */
public final class Serving {

  /** A state; it only ever goes on to a later one. */
  private sealed interface State {
    /** The model is being loaded. */
    record Loading(String progress) implements State {}

    /** Requests are taken. */
    record Ready(Loaded loaded) implements State {}

    /** The server is about to end. */
    record Draining() implements State {}
  }

  /** A model on a cluster. */
  public record Loaded(ServedModel model, Engine engine) {}

  private State state = new State.Loading("the model is about to be loaded");

  /** Says how far loading is; ignored after {@link #ready}. */
  public synchronized void loading(String progress) {
    if (state instanceof State.Loading) {
      state = new State.Loading(progress);
    }
  }

  /** The model is loaded; ignored after {@link #drain}. */
  public synchronized void ready(Loaded loaded) {
    if (state instanceof State.Loading) {
      state = new State.Ready(loaded);
    }
  }

  /** Refuses all requests from now on. */
  public synchronized void drain() {
    state = new State.Draining();
  }

  /**
   * Returns the model and its engine.
   *
   * @throws ClusterException MODEL_NOT_READY while it is loaded (with the progress) or drained
   */
  public synchronized Loaded loaded() {
    return switch (state) {
      case State.Ready ready -> ready.loaded();
      case State.Loading loading -> throw notReady("loading: " + loading.progress());
      case State.Draining _ -> throw notReady("the server is shutting down");
    };
  }

  private static ClusterException notReady(String message) {
    return new ClusterException(ErrorCode.MODEL_NOT_READY, message);
  }
}
