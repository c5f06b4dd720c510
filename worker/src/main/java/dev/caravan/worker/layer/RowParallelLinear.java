package dev.caravan.worker.layer;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.layer.StageKernels.Product;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.util.List;

/**
 * Multiplies by a weight split on its input columns and sums the partials over all ranks: the only
 * layer that all-reduces.
 *
 * <p>Shapes: x [rows, in / ranks], weight [out, in / ranks], y [rows, out]. y is overwritten.
 *
 * <p>Row parallelism as in Megatron-LM (Shoeybi et al., 2019, arXiv:1909.08053, section 3).
 */
final class RowParallelLinear {
  private final StageKernels kernels;
  private final Collective collective;
  private final MatmulInput input;
  private final Activations output;
  private final Product product;
  private final boolean int8;

  /**
   * @param input scratch for the prepared rows, as wide as the weight
   * @param output y
   */
  RowParallelLinear(
      StageKernels kernels,
      Collective collective,
      MatmulInput input,
      RuntimeSettings.Activations activations,
      WeightMatrix weight,
      Activations output) {
    if (weight.columns() != input.columns()) {
      throw new IllegalArgumentException(
          "weight of %d columns for inputs of %d".formatted(weight.columns(), input.columns()));
    }
    this.kernels = kernels;
    this.collective = collective;
    this.input = input;
    this.output = output;
    this.product = new Product(weight, output);
    this.int8 = ColumnParallelLinear.int8(activations, List.of(weight));
  }

  /**
   * Overwrites y with the sum over all ranks.
   *
   * @param op which all-reduce of the step
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a peer does not answer before
   *     the step deadline
   */
  Activations forward(Activations x, int rows, long step, int op) {
    kernels.prepare(x, input, int8, rows, product);
    kernels.matmul(input, rows, product);
    collective.allReduceSum(step, op, output, rows);
    return output;
  }
}
