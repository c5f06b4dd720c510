package dev.caravan.worker.layer;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;

/** Root-mean-square normalisation (Zhang and Sennrich, 2019, arXiv:1910.07467). */
final class RmsNorm {
  private final StageKernels kernels;
  private final MemorySegment weight;
  private final float eps;

  /**
   * @param weight [hiddenSize] f32
   */
  RmsNorm(StageKernels kernels, MemorySegment weight, float eps) {
    this.kernels = kernels;
    this.weight = weight;
    this.eps = eps;
  }

  /** Overwrites out with the normalised rows of x. */
  Activations forward(Activations x, Activations out, int rows) {
    kernels.rmsNorm(x, weight, eps, out, rows);
    return out;
  }
}
