package dev.caravan.worker.layer;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;

/**
 * The angles by which heads are turned, computed once per step for all layers.
 *
 * <p>In f64 up to the sine and cosine: positions in the hundred thousands would lose their angle in
 * f32. RoFormer (Su et al., 2021, arXiv:2104.09864).
 */
final class RotaryEmbedding {
  private final double[] frequencies;
  private final Rotation rotation;

  RotaryEmbedding(Arena arena, LlamaConfig config, int maxRows) {
    this.frequencies = config.ropeScaling().frequencies(config.ropeTheta(), config.headDim());
    this.rotation =
        new Rotation(
            new Activations(arena, maxRows, frequencies.length),
            new Activations(arena, maxRows, frequencies.length),
            config.headDim());
  }

  /** Computes the angles of the step's positions. */
  Rotation prepare(StepRows rows) {
    for (int row = 0; row < rows.rows(); row++) {
      for (int pair = 0; pair < frequencies.length; pair++) {
        double angle = rows.position(row) * frequencies[pair];
        rotation.cos().set(row, pair, (float) Math.cos(angle));
        rotation.sin().set(row, pair, (float) Math.sin(angle));
      }
    }
    return rotation;
  }
}
