package dev.caravan.worker.layer;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.layer.StageKernels.Product;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.util.List;

/**
 * Multiplies by a weight split on its input columns and starts to sum the partials over all ranks:
 * the only layer that all-reduces.
 *
 * <p>Shapes: x [rows, in / ranks], weight [out, in / ranks], y [rows, out] the partial sums of a
 * part.
 *
 * <p>Row parallelism as in Megatron-LM (Shoeybi et al., 2019, arXiv:1909.08053, section 3).
 */
final class RowParallelLinear {
  private final StageKernels kernels;
  private final Collective collective;
  private final MatmulInput input;
  private final WeightMatrix weight;
  private final boolean int8;

  /**
   * @param input scratch for the prepared rows, as wide as the weight
   */
  RowParallelLinear(
      StageKernels kernels,
      Collective collective,
      MatmulInput input,
      RuntimeSettings.Activations activations,
      WeightMatrix weight) {
    if (weight.columns() != input.columns()) {
      throw new IllegalArgumentException(
          "weight of %d columns for inputs of %d".formatted(weight.columns(), input.columns()));
    }
    this.kernels = kernels;
    this.collective = collective;
    this.input = input;
    this.weight = weight;
    this.int8 = ColumnParallelLinear.int8(activations, List.of(weight));
  }

  /**
   * Overwrites the part's partial sums and starts to sum them over all ranks; they are there when
   * the collective has finished them.
   *
   * @param op which all-reduce of the step
   */
  void start(Activations x, StepPart part, int op) {
    Product product = new Product(weight, part.partial());
    kernels.prepare(x, input, int8, part.count(), product);
    kernels.matmul(input, part.count(), product);
    collective.start(part.step(), op, part.partial(), part.count());
  }
}
