package dev.caravan.worker.layer;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.layer.StageKernels.Product;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.util.List;

/**
 * Multiplies by weights that are split on their outputs and share their input: every rank computes
 * its own outputs, nothing is exchanged.
 *
 * <p>Shapes: x [rows, in], weight i [out_i / ranks, in], y_i [rows, out_i / ranks].
 *
 * <p>Column parallelism as in Megatron-LM (Shoeybi et al., 2019, arXiv:1909.08053, section 3).
 */
final class ColumnParallelLinear {
  private final StageKernels kernels;
  private final MatmulInput input;
  private final Product[] products;
  private final boolean int8;

  /**
   * @param input scratch for the prepared rows, as wide as the weights
   * @param weights that share the input
   * @param outputs one for each weight
   */
  ColumnParallelLinear(
      StageKernels kernels,
      MatmulInput input,
      RuntimeSettings.Activations activations,
      List<WeightMatrix> weights,
      List<Activations> outputs) {
    this.kernels = kernels;
    this.input = input;
    this.products = new Product[weights.size()];
    for (int i = 0; i < products.length; i++) {
      if (weights.get(i).columns() != input.columns()) {
        throw new IllegalArgumentException(
            "weight of %d columns for inputs of %d"
                .formatted(weights.get(i).columns(), input.columns()));
      }
      products[i] = new Product(weights.get(i), outputs.get(i));
    }
    this.int8 = int8(activations, weights);
  }

  /** Overwrites the outputs' first rows with the products. */
  void forward(Activations x, int rows) {
    kernels.prepare(x, input, int8, rows, products);
    kernels.matmul(input, rows, products);
  }

  /** Decides whether inputs are rounded to int8: with AUTO only where all weights are quantised. */
  static boolean int8(RuntimeSettings.Activations activations, List<WeightMatrix> weights) {
    return switch (activations) {
      case AUTO -> weights.stream().allMatch(weight -> weight.dtype().isQuantised());
      case F32 -> false;
      case INT8 -> true;
    };
  }
}
