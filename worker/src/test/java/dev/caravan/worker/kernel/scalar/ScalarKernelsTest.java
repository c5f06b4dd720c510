package dev.caravan.worker.kernel.scalar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.RandomWeights;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import dev.caravan.worker.tensor.WeightPacker;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The specification against double precision. */
class ScalarKernelsTest {
  private static final long SEED = 20251;

  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(SEED);
  private final ScalarKernels kernels = new ScalarKernels(new KernelLimits(1024, 8, 128));

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void multipliesAsAccuratelyAsSinglePrecisionCan(DType dtype) {
    for (int columns : dtype.isQuantised() ? new int[] {256, 16384} : new int[] {343, 16384}) {
      RandomWeights weights = new RandomWeights(dtype, 37, columns, 0.1f, random);
      WeightMatrix w = weights.pack(arena);
      Activations x = random(2, columns);
      Activations y = new Activations(arena, 2, 37);
      for (boolean int8 : new boolean[] {false, true}) {
        MatmulInput input = new MatmulInput(arena, 2, columns);
        kernels.prepare(x, input, InputForms.of(int8), 0, 2);
        kernels.matmul(w, input, 2, y, 0, w.rowGroups());
        assertThat(relativeError(weights, input, y, 37))
            .as("%s columns %d int8 %s", dtype, columns, int8)
            .isLessThan(1e-6);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void multipliesUnpackedWeightsWithTheSameBits(DType dtype) {
    WeightMatrix w = new RandomWeights(dtype, 41, 512, 0.1f, random).pack(arena);
    Activations x = new Activations(arena, 3, 512);
    for (int row = 0; row < 3; row++) {
      for (int k = 0; k < 512; k++) {
        x.set(row, k, (float) random.nextGaussian());
      }
    }
    ScalarKernels unpacked = new ScalarKernels(new KernelLimits(16, 1, 16), new UnpackedWeights());
    for (boolean int8 : new boolean[] {false, true}) {
      MatmulInput input = new MatmulInput(arena, 3, 512);
      kernels.prepare(x, input, InputForms.of(int8), 0, 3);
      Activations expected = new Activations(arena, 3, 41);
      Activations actual = new Activations(arena, 3, 41);
      kernels.matmul(w, input, 3, expected, 0, w.rowGroups());
      unpacked.matmul(w, input, 3, actual, 0, 1);
      unpacked.matmul(w, input, 3, actual, 1, w.rowGroups());
      assertThat(actual.data().mismatch(expected.data()))
          .as("%s int8 %s", dtype, int8)
          .isEqualTo(-1);
    }
  }

  private static double relativeError(
      RandomWeights weights, MatmulInput input, Activations y, int rows) {
    double error = 0;
    double norm = 0;
    for (int m = 0; m < 2; m++) {
      for (int o = 0; o < rows; o++) {
        double sum = 0;
        for (int k = 0; k < input.columns(); k++) {
          float value = input.values().get(ValueLayout.JAVA_FLOAT, m * input.rowBytes() + 4L * k);
          double scale = input.scales().get(ValueLayout.JAVA_FLOAT, input.blockOffset(m, k / 32));
          sum += weights.weight(o, k) * value * scale;
        }
        error += (sum - y.get(m, o)) * (sum - y.get(m, o));
        norm += sum * sum;
      }
    }
    return Math.sqrt(error / norm);
  }

  @Test
  void roundsActivationsToTheNearestOf255Steps() {
    Activations x = random(1, 100);
    MatmulInput input = new MatmulInput(arena, 1, 100);
    kernels.prepare(x, input, InputForms.of(true), 0, 1);
    for (int k = 0; k < 100; k++) {
      float d = input.scales().get(ValueLayout.JAVA_FLOAT, input.blockOffset(0, k / 32));
      float q = input.values().get(ValueLayout.JAVA_FLOAT, 4L * k);
      assertThat(q).isBetween(-127f, 127f).isEqualTo(Math.round(q));
      assertThat(q * d).isCloseTo(x.get(0, k), within(d * 0.50001f));
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void dequantisesRowsAsTheFormatSays(DType dtype) {
    RandomWeights weights = new RandomWeights(dtype, 3, 512, 0.1f, random);
    Activations out = new Activations(arena, 2, 512);
    for (int row = 0; row < 3; row++) {
      kernels.dequantiseRow(dtype, weights.slice().row(row), 512, out, 1);
      for (int k = 0; k < 512; k++) {
        double expected = weights.weight(row, k);
        assertThat((double) out.get(1, k))
            .isCloseTo(expected, within(1e-6 + 1e-6 * Math.abs(expected)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = DType.class)
  void refusesWeightsThatAreNotFinite(DType dtype) {
    byte[] bytes = new byte[Math.toIntExact(20 * dtype.bytes(256))];
    Arrays.fill(bytes, 19 * (int) dtype.bytes(256), bytes.length, (byte) 0xff);
    WeightSlice slice =
        new WeightSlice(
            "blk.3.ffn_down.weight",
            dtype,
            20,
            256,
            MemorySegment.ofArray(bytes),
            dtype.bytes(256),
            0,
            row -> row);
    WeightMatrix target = WeightPacker.allocate(arena, dtype, 20, 256);
    assertThatThrownBy(() -> WeightPacker.pack(slice, target, 0, 2))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_CORRUPT))
        .hasMessageContaining("blk.3.ffn_down.weight")
        .hasMessageContaining("row 19");
  }

  @Test
  void exponentialIsWithinTwoUlp() {
    for (float x = -87f; x < 88.7f; x += 0.0009f) {
      double expected = Math.exp(x);
      assertThat(Math.abs(Exponential.exp(x) - expected))
          .as("exp(%s)", x)
          .isLessThanOrEqualTo(2 * Math.ulp((float) expected));
    }
    assertThat(Exponential.exp(0f)).isEqualTo(1f);
    assertThat(Exponential.exp(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(Exponential.exp(-1000f)).isZero();
    assertThat(Exponential.exp(1000f)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Exponential.exp(Float.NaN)).isNaN();
  }

  @Test
  void normsRotatesAndGatesAsInDoublePrecision() {
    int columns = 343;
    Activations x = random(2, columns);
    Activations up = random(2, columns);
    Activations out = new Activations(arena, 2, columns);
    MemorySegment weight = random(1, columns).data();
    kernels.rmsNorm(x, weight, 1e-5f, out, 0, 2);
    double square = 0;
    for (int k = 0; k < columns; k++) {
      square += (double) x.get(1, k) * x.get(1, k);
    }
    double inverse = 1 / Math.sqrt(square / columns + 1e-5f);
    for (int k = 0; k < columns; k++) {
      double expected = x.get(1, k) * inverse * weight.get(ValueLayout.JAVA_FLOAT, 4L * k);
      assertThat((double) out.get(1, k)).isCloseTo(expected, within(3e-7 * Math.abs(expected)));
    }
    kernels.swiglu(x, up, out, new IntRange(1, 2), new IntRange(5, columns));
    assertThat(out.get(0, 7)).isNotEqualTo(out.get(1, 7));
    for (int k = 5; k < columns; k++) {
      double g = x.get(1, k);
      double expected = g / (1 + Math.exp(-g)) * up.get(1, k);
      assertThat((double) out.get(1, k)).isCloseTo(expected, within(1e-6 * Math.abs(expected)));
    }
    Activations before = random(2, 24);
    Activations turned = new Activations(arena, 2, 24);
    MemorySegment.copy(before.data(), 0, turned.data(), 0, before.data().byteSize());
    Activations cos = random(2, 4);
    Activations sin = random(2, 4);
    kernels.rope(turned, 3, new Rotation(cos, sin, 8), 1, 2);
    for (int head = 0; head < 3; head++) {
      for (int i = 0; i < 4; i++) {
        double a = before.get(1, head * 8 + i);
        double b = before.get(1, head * 8 + i + 4);
        double c = cos.get(1, i);
        double s = sin.get(1, i);
        assertThat((double) turned.get(1, head * 8 + i)).isCloseTo(a * c - b * s, within(1e-6));
        assertThat((double) turned.get(1, head * 8 + i + 4)).isCloseTo(a * s + b * c, within(1e-6));
        assertThat(turned.get(0, head * 8 + i)).isEqualTo(before.get(0, head * 8 + i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8, 64, 128})
  void attendsAsInDoublePrecision(int headDim) {
    int[] blocks = new int[64];
    PagedKvCache cache = new PagedKvCache(arena, new KvShape(1, 2, headDim, 64, KvType.F32));
    double[][] k = new double[1000][];
    double[][] v = new double[1000][];
    for (int i = 0; i < 64; i++) {
      blocks[i] = (i * 37 + 5) % 64;
    }
    for (int position = 0; position < 1000; position++) {
      Activations key = random(1, 2 * headDim);
      Activations value = random(1, 2 * headDim);
      cache.append(0, blocks[position / 16], position % 16, key, value, 0);
      k[position] = doubles(key, headDim);
      v[position] = doubles(value, headDim);
    }
    Activations q = random(1, 6 * headDim);
    Activations out = new Activations(arena, 1, 6 * headDim);
    for (int n : new int[] {1, 15, 16, 17, 257, 1000}) {
      AttentionRows rows = new AttentionRows(0, 1, n - 1, blocks, 0);
      kernels.attention(q, out, new AttentionHead(cache, 0, 1, 3, 6), rows);
      for (int head = 3; head < 6; head++) {
        double[] expected = attention(q, head, headDim, k, v, n);
        for (int d = 0; d < headDim; d++) {
          assertThat((double) out.get(0, head * headDim + d)).isCloseTo(expected[d], within(2e-6));
        }
      }
    }
  }

  private static double[] attention(
      Activations q, int head, int headDim, double[][] k, double[][] v, int n) {
    double[] out = new double[headDim];
    double total = 0;
    for (int position = 0; position < n; position++) {
      double score = 0;
      for (int d = 0; d < headDim; d++) {
        score += q.get(0, head * headDim + d) * k[position][d];
      }
      double e = Math.exp(score / Math.sqrt(headDim));
      total += e;
      for (int d = 0; d < headDim; d++) {
        out[d] += e * v[position][d];
      }
    }
    for (int d = 0; d < headDim; d++) {
      out[d] /= total;
    }
    return out;
  }

  /** The second key-value head. */
  private static double[] doubles(Activations x, int headDim) {
    double[] numbers = new double[headDim];
    for (int d = 0; d < headDim; d++) {
      numbers[d] = x.get(0, headDim + d);
    }
    return numbers;
  }

  private Activations random(int rows, int columns) {
    Activations x = new Activations(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < columns; k++) {
        x.set(row, k, (float) random.nextGaussian());
      }
    }
    return x;
  }
}
