package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.kvcache.KvLayout;
import dev.caravan.worker.kvcache.KvType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Blocks of keys or values turned into floats, line by line; see {@link KvLayout}.
 *
 * <p>A run is how many packed lines follow one another; {@code stride} bytes lie between the first
 * unpacked lines of two runs.
 */
final class KvUnpack {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = KvLayout.LINE_BYTES;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;

  /** Packed lines of bytes that share a line of scales. */
  private static final int LINES_PER_SCALE = KvType.Q8_GROUP / 4;

  private KvUnpack() {}

  static void floats(
      MemorySegment slab, long from, int runs, int run, MemorySegment tile, long to, long stride) {
    for (int r = 0; r < runs; r++) {
      long at = from + (long) r * run * LINE;
      long out = to + r * stride;
      for (long i = 0; i < (long) run * LINE; i += Lanes.BYTES) {
        FloatVector.fromMemorySegment(F, ALL, (slab.address() + at + i) & ADDRESS, ORDER)
            .intoMemorySegment(ALL, (tile.address() + out + i) & ADDRESS, ORDER);
      }
    }
  }

  static void halves(
      MemorySegment slab, long from, int runs, int run, MemorySegment tile, long to, long stride) {
    for (int r = 0; r < runs; r++) {
      long at = from + (long) r * run * LINE;
      long out = to + r * stride;
      for (int line = 0; line < run; line++) {
        for (int lane = 0; lane < LINE; lane += Lanes.BYTES) {
          IntVector v =
              IntVector.fromMemorySegment(
                  I, ALL, (slab.address() + at + lane + (long) line * LINE) & ADDRESS, ORDER);
          IntVector low = v.lanewise(VectorOperators.LSHL, 16);
          long even = out + lane + 2L * line * LINE;
          low.lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE)
              .intoMemorySegment(ALL, (tile.address() + even) & ADDRESS, ORDER);
          v.lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE)
              .intoMemorySegment(ALL, (tile.address() + even + LINE) & ADDRESS, ORDER);
        }
      }
    }
  }

  /**
   * @param lines packed lines
   * @param scales lanes are positions
   */
  static void byteKeys(
      MemorySegment slab, long from, int lines, long scales, MemorySegment tile, long to) {
    for (int line = 0; line < lines; line++) {
      for (int lane = 0; lane < LINE; lane += Lanes.BYTES) {
        IntVector v =
            IntVector.fromMemorySegment(
                I, ALL, (slab.address() + from + lane + (long) line * LINE) & ADDRESS, ORDER);
        long s = scales + lane + (long) (line / LINES_PER_SCALE) * LINE;
        FloatVector scale =
            FloatVector.fromMemorySegment(F, ALL, (slab.address() + s) & ADDRESS, ORDER);
        long out = to + lane + 4L * line * LINE;
        number(v.lanewise(VectorOperators.LSHL, 24))
            .mul(scale)
            .intoMemorySegment(ALL, (tile.address() + out) & ADDRESS, ORDER);
        number(v.lanewise(VectorOperators.LSHL, 16))
            .mul(scale)
            .intoMemorySegment(ALL, (tile.address() + out + LINE) & ADDRESS, ORDER);
        number(v.lanewise(VectorOperators.LSHL, 8))
            .mul(scale)
            .intoMemorySegment(ALL, (tile.address() + out + 2 * LINE) & ADDRESS, ORDER);
        number(v)
            .mul(scale)
            .intoMemorySegment(ALL, (tile.address() + out + 3 * LINE) & ADDRESS, ORDER);
      }
    }
  }

  /**
   * @param lines packed lines of 16 dimensions, which share a scale for each position
   * @param scales one for each position
   */
  static void byteValues(
      MemorySegment slab, long from, int lines, long scales, MemorySegment tile, long to) {
    for (int line = 0; line < lines; line++) {
      float s0 = slab.get(ValueLayout.JAVA_FLOAT, scales + 16L * line);
      float s1 = slab.get(ValueLayout.JAVA_FLOAT, scales + 16L * line + 4);
      float s2 = slab.get(ValueLayout.JAVA_FLOAT, scales + 16L * line + 8);
      float s3 = slab.get(ValueLayout.JAVA_FLOAT, scales + 16L * line + 12);
      for (int lane = 0; lane < LINE; lane += Lanes.BYTES) {
        IntVector v =
            IntVector.fromMemorySegment(
                I, ALL, (slab.address() + from + lane + (long) line * LINE) & ADDRESS, ORDER);
        long out = to + lane + 4L * line * LINE;
        number(v.lanewise(VectorOperators.LSHL, 24))
            .mul(s0)
            .intoMemorySegment(ALL, (tile.address() + out) & ADDRESS, ORDER);
        number(v.lanewise(VectorOperators.LSHL, 16))
            .mul(s1)
            .intoMemorySegment(ALL, (tile.address() + out + LINE) & ADDRESS, ORDER);
        number(v.lanewise(VectorOperators.LSHL, 8))
            .mul(s2)
            .intoMemorySegment(ALL, (tile.address() + out + 2 * LINE) & ADDRESS, ORDER);
        number(v)
            .mul(s3)
            .intoMemorySegment(ALL, (tile.address() + out + 3 * LINE) & ADDRESS, ORDER);
      }
    }
  }

  /** The signed byte at the top of each word. */
  private static FloatVector number(IntVector words) {
    return (FloatVector) words.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0);
  }
}
