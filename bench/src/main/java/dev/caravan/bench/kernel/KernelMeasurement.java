package dev.caravan.bench.kernel;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.layer.StageKernels;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Matrix products as a worker makes them: the same kernels, the same pool, the same cutting into
 * tasks. Confined to one thread; close() frees everything.
 */
public final class KernelMeasurement implements AutoCloseable {
  private static final long REPETITION_NANOS = TimeUnit.MILLISECONDS.toNanos(80);
  private static final long SET_BYTES = 512L << 20;
  private static final int WARM_UP_ROWS = 512;

  private final Arena arena = Arena.ofShared();
  private final ComputePool pool;
  private final StageKernels kernels;
  private final MatrixShape shape;
  private final Map<DType, WeightSet> weights = new EnumMap<>(DType.class);
  private final Activations x;
  private final Activations y;
  private final MatmulInput input;

  /**
   * @param maxRows most activation rows of a product
   */
  public KernelMeasurement(MatrixShape shape, int threads, int maxRows) {
    this.shape = shape;
    this.pool = new ComputePool(threads);
    List<Kernels> perThread = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      perThread.add(new SimdKernels(arena, new KernelLimits(1, 1, 2)));
    }
    this.kernels = new StageKernels(pool, perThread);
    this.x = new Activations(arena, maxRows, shape.columns());
    this.y = new Activations(arena, maxRows, shape.rows());
    this.input = new MatmulInput(arena, maxRows, shape.columns());
  }

  /** Starts the threads and fills the activations. */
  public void start() {
    pool.start();
    Random random = new Random(1);
    for (int row = 0; row < x.maxRows(); row++) {
      for (int column = 0; column < x.columns(); column++) {
        x.set(row, column, (float) random.nextGaussian());
      }
    }
  }

  /**
   * Makes the weights of a type, half a GiB of them, and runs the case once, which compiles most of
   * it, and then on for a while.
   */
  public void warmUp(KernelCase kernelCase, long nanos) {
    weights.computeIfAbsent(
        kernelCase.dtype(), dtype -> WeightSet.random(arena, pool, dtype, shape, SET_BYTES));
    product(kernelCase);
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end && kernelCase.rows() < WARM_UP_ROWS) {
      product(kernelCase);
    }
  }

  /**
   * Measures a case once: as many products as take about 80 ms, at least one.
   *
   * @return nanoseconds of one product, preparation of the activations included
   */
  public double nanosPerProduct(KernelCase kernelCase) {
    long start = System.nanoTime();
    int products = 0;
    do {
      product(kernelCase);
      products++;
    } while (System.nanoTime() - start < REPETITION_NANOS);
    return (double) (System.nanoTime() - start) / products;
  }

  /** Packed bytes that one product reads. */
  public long weightBytes(DType dtype) {
    WeightSet set = weights.get(dtype);
    if (set == null) {
      throw new IllegalStateException(dtype + " has not been warmed up");
    }
    return set.matrixBytes();
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
  }

  /** Prepares the activations and multiplies them with the matrix whose turn it is. */
  void product(KernelCase kernelCase) {
    WeightSet set = weights.get(kernelCase.dtype());
    if (set == null) {
      throw new IllegalStateException(kernelCase.dtype() + " has not been warmed up");
    }
    WeightMatrix weight = set.next();
    StageKernels.Product product = new StageKernels.Product(weight, y);
    kernels.prepare(x, input, kernelCase.dtype().isQuantised(), kernelCase.rows(), product);
    kernels.matmul(input, kernelCase.rows(), product);
  }
}
