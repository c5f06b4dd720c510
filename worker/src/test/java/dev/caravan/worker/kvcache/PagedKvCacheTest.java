package dev.caravan.worker.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
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
            assertThat(read(cache, layer, position, column, true)).isEqualTo(expected);
            assertThat(read(cache, layer, position, column, false)).isEqualTo(-expected);
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
    KvShape shape = cache.shape();
    int head = column / shape.headDim();
    int d = column % shape.headDim();
    int slot = position % 16;
    int dim = cache.paddedHeadDim();
    var slab = cache.slab(layer, position / 16);
    long base = key ? cache.keyOffset(position / 16, head) : cache.valueOffset(position / 16, head);
    return switch (shape.type()) {
      case F32 ->
          slab.get(ValueLayout.JAVA_FLOAT, base + 4L * (key ? d * 16 + slot : slot * dim + d));
      case F16 -> {
        long at =
            key
                ? 4L * (d / 2 * 16 + slot) + 2L * (d % 2)
                : 4L * (slot / 2 * dim + d) + 2L * (slot % 2);
        yield Float.float16ToFloat(slab.get(ValueLayout.JAVA_SHORT, base + at));
      }
    };
  }
}
