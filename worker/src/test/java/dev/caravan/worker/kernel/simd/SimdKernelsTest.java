package dev.caravan.worker.kernel.simd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.RandomWeights;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kernel.scalar.ScalarKernels;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The vector kernels against the specification, bit for bit, at this JVM's vector width. */
class SimdKernelsTest {
  private static final long SEED = 4711;
  private static final int[] BATCHES = {1, 2, 3, 4, 5, 7, 32, 33};
  private static final int MAX_ROWS = 33;

  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(SEED);
  private final KernelLimits limits = new KernelLimits(1024, 8, 128);
  private final Kernels scalar = new ScalarKernels(limits);
  private final Kernels simd = new SimdKernels(arena, limits);

  @BeforeAll
  static void sayWhichWidthRuns() {
    int bits = SimdKernels.vectorBits();
    int own = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    boolean again = System.getProperty(Lanes.BITS_PROPERTY) != null && bits == own;
    String what = "vector kernels at %d bits (this machine's own: %d)".formatted(bits, own);
    if (again) {
      System.out.println("SKIPPED: " + what + " run in the main test run");
    }
    Assumptions.assumeFalse(again);
    System.out.println("RAN: " + what + ", seed " + SEED);
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void multipliesWithTheBitsOfTheSpecification(DType dtype) {
    for (int columns : columns(dtype)) {
      for (int rows : new int[] {1, 7, 31, 33, 257}) {
        if ((long) rows * columns > 150_000) {
          continue;
        }
        multiply(dtype, rows, columns, 0.1f, random(MAX_ROWS, columns, 3f));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void multipliesRangesOfGroupsAlone(DType dtype) {
    RandomWeights weights = new RandomWeights(dtype, 75, 512, 0.1f, random);
    WeightMatrix w = weights.pack(arena);
    Activations x = random(7, 512, 1f);
    MatmulInput input = new MatmulInput(arena, 7, 512);
    for (int rows : new int[] {1, 7}) {
      InputForms forms = simd.forms(dtype, true, rows);
      simd.prepare(x, input, forms, 0, 3);
      simd.prepare(x, input, forms, 3, 7);
      Activations whole = new Activations(arena, 7, 80);
      Activations parts = new Activations(arena, 7, 80);
      simd.matmul(w, input, rows, whole, 0, 5);
      simd.matmul(w, input, rows, parts, 0, 1);
      simd.matmul(w, input, rows, parts, 1, 4);
      simd.matmul(w, input, rows, parts, 4, 4);
      simd.matmul(w, input, rows, parts, 4, 5);
      assertSameBits(whole, parts, rows, "parts of " + dtype);
      for (int column = 75; column < 80; column++) {
        assertThat(whole.get(0, column)).as("beyond the last output").isZero();
      }
    }
  }

  @Test
  void preparesRowsInAnyOrder() {
    Activations x = random(5, 96, 1f);
    InputForms forms = simd.forms(DType.Q4_0, true, 1);
    MatmulInput upwards = new MatmulInput(arena, 5, 96);
    MatmulInput downwards = new MatmulInput(arena, 5, 96);
    for (int row = 0; row < 5; row++) {
      simd.prepare(x, upwards, forms, row, row + 1);
      simd.prepare(x, downwards, forms, 4 - row, 5 - row);
    }
    assertThat(upwards.nibbleFactors().mismatch(downwards.nibbleFactors())).isEqualTo(-1);
  }

  @Test
  void refusesAnInputThatLacksWhatTheWeightNeeds() {
    WeightMatrix w = new RandomWeights(DType.Q4_0, 16, 64, 0.1f, random).pack(arena);
    MatmulInput input = new MatmulInput(arena, 1, 64);
    Activations y = new Activations(arena, 1, 16);
    simd.prepare(random(1, 64, 1f), input, simd.forms(DType.Q8_0, true, 1), 0, 1);
    assertThatThrownBy(() -> simd.matmul(w, input, 1, y, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prepared as int8 [BYTES], int8 [NIBBLES] needed");
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void multipliesExtremes(DType dtype) {
    int columns = 512;
    float largest = dtype == DType.F32 || dtype == DType.BF16 ? 1e30f : 60000f;
    for (float magnitude : new float[] {0f, 1e-40f, 1e-30f, 1f, 127f, 1e7f, 1e30f, 3e38f}) {
      multiply(dtype, 33, columns, largest, random(MAX_ROWS, columns, magnitude));
    }
    Activations saturated = new Activations(arena, MAX_ROWS, columns);
    Activations broken = random(MAX_ROWS, columns, 1f);
    for (int row = 0; row < MAX_ROWS; row++) {
      for (int k = 0; k < columns; k++) {
        saturated.set(row, k, random.nextBoolean() ? 127f : -127f);
      }
      float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f};
      broken.set(row, random.nextInt(columns), bad[row % 4]);
    }
    multiply(dtype, 33, columns, 1f, saturated);
    multiply(dtype, 33, columns, 1f, broken);
  }

  private void multiply(DType dtype, int rows, int columns, float largest, Activations x) {
    try (Arena local = Arena.ofConfined()) {
      WeightMatrix w = new RandomWeights(dtype, rows, columns, largest, random).pack(local);
      for (boolean int8 : new boolean[] {false, true}) {
        MatmulInput expectedInput = new MatmulInput(local, MAX_ROWS, columns);
        MatmulInput input = new MatmulInput(local, MAX_ROWS, columns);
        scalar.prepare(x, expectedInput, InputForms.of(int8), 0, MAX_ROWS);
        String what = "%s [%d, %d] int8 %s".formatted(dtype, rows, columns, int8);
        Activations expected = new Activations(local, MAX_ROWS, rows);
        Activations y = new Activations(local, MAX_ROWS, rows);
        scalar.matmul(w, expectedInput, MAX_ROWS, expected, 0, w.rowGroups());
        for (int batch : BATCHES) {
          simd.prepare(x, input, simd.forms(dtype, int8, batch), 0, batch);
          assertSameInput(expectedInput, input, batch, what);
          y.data().fill((byte) 0x55);
          simd.matmul(w, input, batch, y, 0, w.rowGroups());
          assertSameBits(expected, y, batch, what + " batch " + batch);
        }
      }
    }
  }

  private static int[] columns(DType dtype) {
    return switch (dtype) {
      case F32, F16, BF16 -> new int[] {1, 7, 31, 33, 64, 172, 257, 343, 4098};
      case Q8_0, Q4_0 -> new int[] {32, 64, 96, 160, 288, 4096};
      case Q4_K, Q5_K, Q6_K -> new int[] {256, 512, 768, 4096};
    };
  }

  @Test
  void normsRotatesGatesAndAddsWithTheBitsOfTheSpecification() {
    for (int columns : new int[] {1, 7, 16, 31, 33, 172, 257, 512, 513, 4098}) {
      for (float magnitude : new float[] {1e-30f, 1f, 30f, 1e15f}) {
        Activations x = random(3, columns, magnitude);
        Activations y = random(3, columns, 1f);
        x.set(1, 0, Float.NaN);
        x.set(2, columns - 1, Float.NEGATIVE_INFINITY);
        MemorySegment weight = random(1, columns, 1f).data();
        Activations a = new Activations(arena, 3, columns);
        Activations b = new Activations(arena, 3, columns);
        scalar.rmsNorm(x, weight, 1e-5f, a, 0, 3);
        simd.rmsNorm(x, weight, 1e-5f, b, 0, 3);
        assertSameBits(a, b, 3, "rmsNorm " + columns);
        IntRange rows = new IntRange(0, 3);
        scalar.swiglu(x, y, a, rows, new IntRange(columns / 3, columns));
        simd.swiglu(x, y, b, rows, new IntRange(columns / 3, columns));
        assertSameBits(a, b, 3, "swiglu " + columns);
        scalar.add(a, x, 0, 3);
        simd.add(b, x, 0, 3);
        assertSameBits(a, b, 3, "add " + columns);
      }
    }
    for (int headDim : new int[] {2, 4, 8, 20, 64, 128}) {
      Activations a = random(3, 3 * headDim, 1f);
      Activations b = new Activations(arena, 3, 3 * headDim);
      MemorySegment.copy(a.data(), 0, b.data(), 0, a.data().byteSize());
      Rotation rotation =
          new Rotation(random(3, headDim / 2, 1f), random(3, headDim / 2, 1f), headDim);
      scalar.rope(a, 3, rotation, 1, 3);
      simd.rope(b, 3, rotation, 1, 3);
      assertSameBits(a, b, 3, "rope " + headDim);
    }
  }

  private Activations random(int rows, int columns, float magnitude) {
    Activations x = new Activations(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < columns; k++) {
        x.set(row, k, (float) random.nextGaussian() * magnitude);
      }
    }
    return x;
  }

  private static void assertSameInput(MatmulInput a, MatmulInput b, int rows, String what) {
    long bytes = rows * a.rowBytes();
    assertThat(a.values().asSlice(0, bytes).mismatch(b.values().asSlice(0, bytes)))
        .as("values of " + what)
        .isEqualTo(-1);
    for (int row = 0; row < rows; row++) {
      for (int block = 0; block < a.blocks(); block++) {
        long at = a.blockOffset(row, block);
        assertSame(get(a.scales(), at), get(b.scales(), at), what + " scales");
        assertSame(get(a.sums(), at), get(b.sums(), at), what + " sums");
      }
    }
  }

  private static float get(MemorySegment segment, long at) {
    return segment.get(ValueLayout.JAVA_FLOAT, at);
  }

  private static void assertSameBits(Activations a, Activations b, int rows, String what) {
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < Math.min(a.columns(), b.columns()); k++) {
        if (Float.floatToIntBits(a.get(row, k)) != Float.floatToIntBits(b.get(row, k))) {
          assertSame(a.get(row, k), b.get(row, k), what + " row " + row + " column " + k);
        }
      }
    }
  }

  /** Bits, except that all that is not a number is the same. */
  private static void assertSame(float a, float b, String what) {
    assertThat(Float.floatToIntBits(b))
        .as("%s: %s, specified %s", what, b, a)
        .isEqualTo(Float.floatToIntBits(a));
  }
}
