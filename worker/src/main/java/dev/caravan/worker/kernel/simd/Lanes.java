package dev.caravan.worker.kernel.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this JVM: 128, 256 or 512 bits. Constants, because the compiler turns vector
 * code into instructions only for a species that it knows.
 *
 * <p>A group of 16 rows is one, two or four vectors. Kernels therefore work on two vectors at a
 * time, each given by its own byte offset: the halves of a group, quarters of it, or two groups.
 */
final class Lanes {
  /** Narrows the vectors, for tests and for machines that slow down with wide ones. */
  static final String BITS_PROPERTY = "caravan.vector.bits";

  static final int BITS =
      Integer.getInteger(BITS_PROPERTY, FloatVector.SPECIES_PREFERRED.vectorBitSize());

  private static final VectorShape SHAPE = VectorShape.forBitSize(BITS);

  static final VectorSpecies<Float> F = VectorSpecies.of(float.class, SHAPE);
  static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, SHAPE);
  static final VectorSpecies<Short> S = VectorSpecies.of(short.class, SHAPE);

  /** 32-bit lanes of a vector. */
  static final int COUNT = BITS / Integer.SIZE;

  /** Bytes of a vector. */
  static final int BYTES = BITS / Byte.SIZE;

  static {
    if (BITS < 128 || BITS > 512 || Integer.bitCount(BITS) != 1) {
      throw new IllegalStateException(
          "vectors of %d bits; set -D%s to 128, 256 or 512".formatted(BITS, BITS_PROPERTY));
    }
    assert FloatVector.SPECIES_PREFERRED.length() >= 2
        && ShortVector.SPECIES_PREFERRED.length() > 2
        && IntVector.SPECIES_PREFERRED.length() >= 2;
  }

  private Lanes() {}
}
