package dev.caravan.bench.machine;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops that nothing can outrun: they read memory, or multiply and add, and do nothing else.
 *
 * <p>The widest vectors of the machine, whatever the kernels use. Flat and unrolled by hand, as
 * kernels are.
 */
final class PeakLoops {
  /** Streams that {@link #read} reads at once, as the kernels read two to four. */
  static final int STREAMS = 4;

  /** Floating-point operations of one vector lane in one round of {@link #multiplyAdd}. */
  static final int FLOPS_PER_ROUND = 2 * 12;

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private PeakLoops() {}

  static int floatLanes() {
    return F.length();
  }

  /**
   * Reads 4 streams of a buffer: bytes [from, from + bytes) of each quarter.
   *
   * @param bytes a multiple of 256
   * @return a number that depends on every byte read
   */
  static int read(MemorySegment buffer, long from, long bytes) {
    long stream = buffer.byteSize() / STREAMS;
    long width = I.vectorByteSize();
    IntVector a0 = IntVector.zero(I);
    IntVector a1 = a0;
    IntVector a2 = a0;
    IntVector a3 = a0;
    for (long at = from; at < from + bytes; at += 2 * width) {
      long b = at + stream;
      long c = b + stream;
      long d = c + stream;
      a0 = a0.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, at, ORDER));
      a1 = a1.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, b, ORDER));
      a2 = a2.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, c, ORDER));
      a3 = a3.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, d, ORDER));
      a0 =
          a0.lanewise(
              VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, at + width, ORDER));
      a1 =
          a1.lanewise(
              VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, b + width, ORDER));
      a2 =
          a2.lanewise(
              VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, c + width, ORDER));
      a3 =
          a3.lanewise(
              VectorOperators.XOR, IntVector.fromMemorySegment(I, buffer, d + width, ORDER));
    }
    return a0.add(a1).add(a2.add(a3)).reduceLanes(VectorOperators.XOR);
  }

  /**
   * Multiplies and adds in 12 independent chains: enough for two units of four cycles' latency, few
   * enough for 16 registers. Each adds to its own sum, as the instruction does: no copies.
   *
   * @return a number that depends on every operation
   */
  static float multiplyAdd(int rounds, float factor) {
    FloatVector x = FloatVector.broadcast(F, factor);
    FloatVector y = FloatVector.broadcast(F, 1 - factor);
    FloatVector a0 = FloatVector.broadcast(F, 0.1f);
    FloatVector a1 = FloatVector.broadcast(F, 0.2f);
    FloatVector a2 = FloatVector.broadcast(F, 0.3f);
    FloatVector a3 = FloatVector.broadcast(F, 0.4f);
    FloatVector a4 = FloatVector.broadcast(F, 0.5f);
    FloatVector a5 = FloatVector.broadcast(F, 0.6f);
    FloatVector a6 = FloatVector.broadcast(F, 0.7f);
    FloatVector a7 = FloatVector.broadcast(F, 0.8f);
    FloatVector a8 = FloatVector.broadcast(F, 0.9f);
    FloatVector a9 = FloatVector.broadcast(F, 1.1f);
    FloatVector aa = FloatVector.broadcast(F, 1.2f);
    FloatVector ab = FloatVector.broadcast(F, 1.3f);
    for (int i = 0; i < rounds; i++) {
      a0 = x.fma(y, a0);
      a1 = x.fma(y, a1);
      a2 = x.fma(y, a2);
      a3 = x.fma(y, a3);
      a4 = x.fma(y, a4);
      a5 = x.fma(y, a5);
      a6 = x.fma(y, a6);
      a7 = x.fma(y, a7);
      a8 = x.fma(y, a8);
      a9 = x.fma(y, a9);
      aa = x.fma(y, aa);
      ab = x.fma(y, ab);
    }
    FloatVector left = a0.add(a1).add(a2).add(a3).add(a4).add(a5);
    FloatVector right = a6.add(a7).add(a8).add(a9).add(aa).add(ab);
    return left.add(right).reduceLanes(VectorOperators.ADD);
  }
}
