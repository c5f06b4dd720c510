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
   * Computes the layer and starts to sum its result over all ranks.
   *
   * @param x [rows, hiddenSize], the part's rows normalised
   */
  void start(Activations x, StepPart part, int op) {
    gateUp.forward(x, part.count());
    kernels.swiglu(workspace.gate(), workspace.up(), workspace.gate(), part.count());
    down.start(workspace.gate(), part, op);
  }
}
