package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.generate.Engine;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/** An engine that takes no requests and always reports the same. */
public record StillEngine(EngineStatus status) implements Engine {
  /** 3 run, 2 wait, 8 of 32 blocks are used, 4 cached. */
  public static final StillEngine BUSY =
      new StillEngine(
          new EngineStatus(EngineStatus.State.SERVING, 3, 2, 8, 4, 32, 5, 400, 300, 1200, 7000, 1));

  @Override
  public Handle submit(EngineRequest request, GenerationListener listener) {
    throw new ClusterException(ErrorCode.MODEL_NOT_READY, "this engine takes no requests");
  }
}
