package dev.caravan.worker.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PagedKvCacheTest {

  @Test
  void takesMemoryOnlyForBlocksThatAreWritten() {
    try (Arena arena = Arena.ofShared()) {
      KvShape shape = new KvShape(32, 8, 128, 8192, KvType.F16);
      PagedKvCache cache = new PagedKvCache(arena, shape);
      assertThat(cache.bytes()).isZero();
      assertThat(cache.maxBytes()).isEqualTo(32L * 8192 * 16 * 8 * 128 * 2 * 2);
      Activations kv = new Activations(arena, 1, 8 * 128);
      cache.append(3, 8191, 15, kv, kv, 0);
      assertThat(cache.bytes()).isBetween(1L << 19, 1L << 21);
      assertThatThrownBy(() -> cache.slab(3, 0)).isInstanceOf(IllegalStateException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void keepsEveryNumberInItsPlace(KvType type) {
    double tolerance = type == KvType.Q8 ? 0.5 / 127 : 0;
    try (Arena arena = Arena.ofShared()) {
      int headDim = 20;
      PagedKvCache cache = new PagedKvCache(arena, new KvShape(2, 3, headDim, 5, type));
      Activations k = new Activations(arena, 2, 3 * headDim);
      Activations v = new Activations(arena, 2, 3 * headDim);
      for (int layer = 0; layer < 2; layer++) {
        for (int position = 0; position < 5 * 16; position++) {
          for (int column = 0; column < 3 * headDim; column++) {
            k.set(1, column, number(layer, position, column));
            v.set(1, column, -number(layer, position, column));
          }
          cache.append(layer, position / 16, position % 16, k, v, 1);
        }
      }
      for (int layer = 0; layer < 2; layer++) {
        for (int position = 0; position < 5 * 16; position++) {
          for (int column = 0; column < 3 * headDim; column++) {
            float expected = number(layer, position, column);
            assertThat(read(cache, layer, position, column, true))
                .isCloseTo(expected, within((float) (tolerance * 2 * expected)));
            assertThat(read(cache, layer, position, column, false))
                .isCloseTo(-expected, within((float) (tolerance * 2 * expected)));
          }
        }
      }
    }
  }

  @Test
  void roundsToNearestEvenAndSaturates() {
    try (Arena arena = Arena.ofShared()) {
      PagedKvCache cache = new PagedKvCache(arena, new KvShape(1, 1, 4, 1, KvType.F16));
      Activations k = new Activations(arena, 1, 4);
      float[] numbers = {2049f, 2051f, 1e6f, -1e9f};
      float[] stored = {2048f, 2052f, 65504f, -65504f};
      for (int d = 0; d < 4; d++) {
        k.set(0, d, numbers[d]);
      }
      cache.append(0, 0, 7, k, k, 0);
      for (int d = 0; d < 4; d++) {
        assertThat(read(cache, 0, 7, d, true)).isEqualTo(stored[d]);
        assertThat(read(cache, 0, 7, d, false)).isEqualTo(stored[d]);
      }
    }
  }

  @Test
  void roundsToBytesWithAScaleForEachPositionAnd32Numbers() {
    try (Arena arena = Arena.ofShared()) {
      PagedKvCache cache = new PagedKvCache(arena, new KvShape(1, 1, 68, 1, KvType.Q8));
      assertThat(cache.maxBytes()).isEqualTo(16L * 2 * (80 + 3 * 4));
      Activations k = new Activations(arena, 1, 68);
      k.set(0, 0, 12.7f);
      k.set(0, 1, -0.449f);
      k.set(0, 32, -1e-30f);
      k.set(0, 33, 0.4e-32f);
      k.set(0, 64, Float.POSITIVE_INFINITY);
      cache.append(0, 0, 3, k, k, 0);
      for (boolean key : new boolean[] {true, false}) {
        assertThat(read(cache, 0, 3, 0, key)).isEqualTo(12.7f);
        assertThat(read(cache, 0, 3, 1, key)).isCloseTo(-0.4f, within(1e-6f));
        assertThat(read(cache, 0, 3, 2, key)).isZero();
        assertThat(read(cache, 0, 3, 32, key)).isCloseTo(-1e-30f, within(1e-36f));
        assertThat(read(cache, 0, 3, 33, key)).isCloseTo(0.787e-32f, within(1e-34f));
        assertThat(read(cache, 0, 3, 64, key)).isNaN();
        assertThat(read(cache, 0, 3, 66, key)).isNaN();
        assertThat(read(cache, 0, 4, 0, key)).isZero();
      }
    }
  }

  @Test
  void refusesBlocksThatItDoesNotHave() {
    try (Arena arena = Arena.ofShared()) {
      PagedKvCache cache = new PagedKvCache(arena, new KvShape(1, 1, 4, 2, KvType.F32));
      Activations k = new Activations(arena, 1, 4);
      assertThatThrownBy(() -> cache.append(0, 2, 0, k, k, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("block 2");
      assertThatThrownBy(() -> cache.append(0, 1, 16, k, k, 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static float number(int layer, int position, int column) {
    return Float.float16ToFloat((short) (0x400 + (layer * 80 + position) * 60 + column));
  }

  private static float read(PagedKvCache cache, int layer, int position, int column, boolean key) {
    int headDim = cache.shape().headDim();
    int block = position / 16;
    var slab = cache.slab(layer, block);
    KvLayout layout = cache.layout();
    int head = column / headDim;
    return key
        ? layout.key(slab, cache.keyOffset(block, head), position % 16, column % headDim)
        : layout.value(slab, cache.valueOffset(block, head), position % 16, column % headDim);
  }
}
