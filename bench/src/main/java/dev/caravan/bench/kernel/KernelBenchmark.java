package dev.caravan.bench.kernel;

import static java.util.Objects.requireNonNull;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.kvcache.KvType;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The worker's kernels under JMH, on one thread: what {@code bench kernels} and {@code bench
 * attention} measure with all of them, each case in a JVM of its own.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
  /** Warming up is what JMH does. */
  private static final long NO_MORE = 0;

  /** Matrix products: one row as in decode, a batch, a piece of a prompt. */
  @State(Scope.Benchmark)
  public static class Product {
    @Param({"Q4_0", "Q8_0", "Q4_K", "Q6_K", "BF16", "F16"})
    DType type = DType.Q4_0;

    @Param({"1", "8", "512"})
    int rows = 1;

    @Param("4096x4096")
    String shape = "4096x4096";

    private @Nullable KernelMeasurement kernels;

    /** Makes the weights. */
    @Setup
    public void start() {
      kernels = new KernelMeasurement(MatrixShape.parse(shape), 1, rows);
      kernels.start();
      kernels.warmUp(new KernelCase(type, rows), NO_MORE);
    }

    /** Frees the weights. */
    @TearDown
    public void close() {
      requireNonNull(kernels).close();
    }
  }

  /** Attention of a layer: one row as in decode, a piece of a prompt. */
  @State(Scope.Benchmark)
  public static class Layer {
    @Param({"F16", "Q8"})
    KvType kv = KvType.F16;

    @Param({"1", "64"})
    int rows = 1;

    @Param({"1024", "8192"})
    int context = 1024;

    private @Nullable AttentionMeasurement attention;

    /** Fills the cache. */
    @Setup
    public void start() {
      attention = new AttentionMeasurement(1, context, rows);
      attention.start();
      attention.warmUp(new AttentionCase(kv, context, rows), NO_MORE);
    }

    /** Frees the cache. */
    @TearDown
    public void close() {
      requireNonNull(attention).close();
    }
  }

  /** A matrix product, preparation of the activations included. */
  @Benchmark
  public void product(Product state) {
    requireNonNull(state.kernels).product(new KernelCase(state.type, state.rows));
  }

  /** Attention of all heads. */
  @Benchmark
  public void attention(Layer state) {
    requireNonNull(state.attention).attend(new AttentionCase(state.kv, state.context, state.rows));
  }
}
