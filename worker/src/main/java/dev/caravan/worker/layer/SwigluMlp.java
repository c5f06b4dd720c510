package dev.caravan.worker.layer;

import dev.caravan.worker.tensor.Activations;

/**
 * The feed-forward layer: {@code down(silu(gate(x)) * up(x))} (Shazeer, 2020, arXiv:2002.05202).
 */
final class SwigluMlp {
  private final StageKernels kernels;
  private final Workspace workspace;
  private final ColumnParallelLinear gateUp;
  private final RowParallelLinear down;

  SwigluMlp(
      StageKernels kernels,
      Workspace workspace,
      ColumnParallelLinear gateUp,
      RowParallelLinear down) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.gateUp = gateUp;
    this.down = down;
  }

  /**
   * Computes the layer.
   *
   * @param x [rows, hiddenSize], normalised
   * @return [rows, hiddenSize], summed over all ranks
   */
  Activations forward(Activations x, int rows, long step, int op) {
    gateUp.forward(x, rows);
    kernels.swiglu(workspace.gate(), workspace.up(), workspace.gate(), rows);
    return down.forward(workspace.gate(), rows, step, op);
  }
}
