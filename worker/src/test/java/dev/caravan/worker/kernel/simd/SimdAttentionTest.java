package dev.caravan.worker.kernel.simd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.scalar.ScalarKernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The vector attention against the specification, bit for bit, at this JVM's vector width. */
class SimdAttentionTest {
  private static final long SEED = 815;
  private static final int POSITIONS = 5000;
  private static final int[] HISTORIES = {1, 15, 16, 17, 1023, 1024, 1025, POSITIONS};

  /** headDim for 1 to 8 query heads of a key-value head. */
  private static final int[] HEAD_DIMS = {64, 2, 128, 20, 32, 48, 256, 80};

  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(SEED);

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void attendsWithTheBitsOfTheSpecification(KvType type) {
    for (int heads = 1; heads <= HEAD_DIMS.length; heads++) {
      Fixture fixture = new Fixture(type, heads, HEAD_DIMS[heads - 1]);
      for (int history : HISTORIES) {
        fixture.check(new AttentionRows(0, 1, history - 1, fixture.blocks, 0), heads);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void rowsOfASequenceTogetherHaveTheBitsOfEachAlone(KvType type) {
    for (int heads : new int[] {1, 3, 7, 8}) {
      Fixture fixture = new Fixture(type, heads, 24);
      int most = fixture.limits.attentionRows();
      for (int position : new int[] {0, 13, 31, 1024 - most / 2}) {
        fixture.check(new AttentionRows(1, 1 + most, position, fixture.blocks, 0), heads);
        fixture.check(new AttentionRows(0, 2, position, fixture.blocks, 3), heads);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void someOfTheQueryHeadsAttendAlone(KvType type) {
    Fixture fixture = new Fixture(type, 8, 16);
    AttentionRows rows = new AttentionRows(0, 3, 70, fixture.blocks, 0);
    for (int heads : new int[] {0, 1, 5}) {
      fixture.check(rows, heads);
    }
  }

  /** A cache of random numbers, and both kinds of kernels. */
  private final class Fixture {
    private final int[] blocks =
        IntStream.range(0, Math.ceilDiv(POSITIONS, 16)).map(i -> (i * 37 + 5) % 313).toArray();
    private final KernelLimits limits;
    private final int headDim;
    private final int maxHeads;
    private final PagedKvCache cache;
    private final Kernels scalar;
    private final Kernels simd;

    Fixture(KvType type, int maxHeads, int headDim) {
      this.maxHeads = maxHeads;
      this.headDim = headDim;
      this.limits = new KernelLimits(POSITIONS, maxHeads, headDim);
      this.scalar = new ScalarKernels(limits);
      this.simd = new SimdKernels(arena, limits);
      this.cache = new PagedKvCache(arena, new KvShape(2, 2, headDim, blocks.length, type));
      Activations k = random(7, 2 * headDim, 1f);
      Activations v = random(7, 2 * headDim, 1f);
      for (int position = 0; position < POSITIONS; position++) {
        // All rows differ from one another in which key meets which value.
        k.set(position % 7, position % (2 * headDim), (float) random.nextGaussian());
        cache.append(1, blocks[position / 16], position % 16, k, v, position % 7);
      }
    }

    /** Each row alone as specified, then together, then range by range, the last range first. */
    void check(AttentionRows rows, int heads) {
      int columns = (maxHeads + 1) * headDim;
      Activations q = random(rows.toRow(), columns, 3f);
      Activations specified = new Activations(arena, rows.toRow(), columns);
      Activations together = new Activations(arena, rows.toRow(), columns);
      Activations combined = new Activations(arena, rows.toRow(), columns);
      AttentionHead head = new AttentionHead(cache, 1, 1, 1, 1 + heads);
      for (int row = rows.fromRow(); row < rows.toRow(); row++) {
        int position = rows.position() + row - rows.fromRow();
        AttentionRows alone = new AttentionRows(row, row + 1, position, blocks, 0);
        scalar.attention(q, specified, head, alone);
      }
      simd.attention(q, together, head, rows);
      assertSameBits(specified, together, "together", rows, heads);
      for (Kernels kernels : new Kernels[] {simd, scalar}) {
        AttentionParts parts =
            new AttentionParts(arena, 2, rows.part(rows.ranges()), maxHeads, headDim);
        for (int range = rows.ranges() - 1; range >= 0; range--) {
          kernels.attentionRange(q, parts, head, rows, range);
        }
        kernels.combineRanges(parts, combined, head, rows);
        assertSameBits(specified, combined, "range by range", rows, heads);
        if (rows.positions() > 2000) {
          return; // the plain loops are slow
        }
      }
    }

    private void assertSameBits(
        Activations a, Activations b, String how, AttentionRows rows, int heads) {
      for (int row = 0; row < rows.toRow(); row++) {
        for (int k = 0; k < a.columns(); k++) {
          if (Float.floatToIntBits(a.get(row, k)) != Float.floatToIntBits(b.get(row, k))) {
            assertThat(b.get(row, k))
                .as(
                    "%s: %s, %d heads of %d, rows [%d, %d) from position %d, row %d, column %d, seed %d",
                    how,
                    cache.shape().type(),
                    heads,
                    headDim,
                    rows.fromRow(),
                    rows.toRow(),
                    rows.position(),
                    row,
                    k,
                    SEED)
                .isEqualTo(a.get(row, k));
          }
        }
      }
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
}
