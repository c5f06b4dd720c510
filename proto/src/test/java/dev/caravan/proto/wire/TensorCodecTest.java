package dev.caravan.proto.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorCodecTest {
  private static final float[] EXTREMES = {
    0f, -0f, 1f, -1f, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, 1e-38f, 3e38f, -3e38f
  };

  private static TensorView random(Arena arena, int rows, int columns, int stride) {
    MemorySegment data = arena.allocate((long) rows * stride * Float.BYTES + 4, 4);
    Random random = new Random(rows * 31L + columns);
    for (long i = 0; i < (long) rows * stride; i++) {
      data.set(ValueLayout.JAVA_FLOAT, 4 + i * 4, (float) random.nextGaussian() * 10);
    }
    return new TensorView(data, 4, stride, rows, columns);
  }

  private static float get(TensorView x, int row, int column) {
    return x.data().get(ValueLayout.JAVA_FLOAT, x.rowOffset(row) + column * 4L);
  }

  private static MemorySegment payload(PayloadType type, TensorView x) {
    MemorySegment bytes =
        MemorySegment.ofArray(new byte[3 + (int) (x.rows() * type.rowBytes(x.columns()))]);
    TensorCodec.encode(type, x, bytes, 3);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 31, 32, 33, 257, 4098})
  void keepsValuesWithinTheTypesPrecision(int columns) {
    try (Arena arena = Arena.ofConfined()) {
      for (PayloadType type : PayloadType.values()) {
        TensorView x = random(arena, 3, columns, columns + 5);
        TensorView y = random(arena, 3, columns, columns + 9);
        MemorySegment bytes = payload(type, x);
        TensorCodec.decode(type, bytes, 3, y);
        for (int row = 0; row < 3; row++) {
          for (int column = 0; column < columns; column++) {
            float wanted = get(x, row, column);
            double allowed =
                switch (type) {
                  case F32 -> 0;
                  case BF16 -> Math.abs(wanted) / 256;
                  case Q8 -> 60 / 127.0 / 2;
                };
            assertThat((double) get(y, row, column))
                .as("%s [%d, %d]", type, row, column)
                .isBetween(wanted - allowed, wanted + allowed);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void addsWhatItDecodes(PayloadType type) {
    try (Arena arena = Arena.ofConfined()) {
      TensorView x = random(arena, 2, 77, 80);
      TensorView sum = random(arena, 2, 77, 96);
      TensorView decoded = random(arena, 2, 77, 77);
      MemorySegment bytes = payload(type, x);
      TensorCodec.decode(type, bytes, 3, decoded);
      float[] wanted = new float[2 * 77];
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = get(sum, i / 77, i % 77) + get(decoded, i / 77, i % 77);
      }
      TensorCodec.decodeAdd(type, bytes, 3, sum);
      for (int i = 0; i < wanted.length; i++) {
        assertThat(get(sum, i / 77, i % 77)).isEqualTo(wanted[i]);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void survivesExtremes(PayloadType type) {
    for (float extreme : EXTREMES) {
      MemorySegment data = MemorySegment.ofArray(new float[] {extreme, 0, extreme});
      TensorView x = new TensorView(data, 0, 3, 1, 3);
      MemorySegment bytes = payload(type, x);
      TensorCodec.decode(type, bytes, 3, x);
      float back = data.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
      double allowed =
          Math.abs(extreme) < 1e-36 && type == PayloadType.Q8 ? 1e-36 : Math.abs(extreme) / 200;
      assertThat((double) back)
          .as("%s through %s", extreme, type)
          .isBetween(extreme - allowed - 1e-40, extreme + allowed + 1e-40);
    }
  }

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void neverHidesNan(PayloadType type) {
    float lowPayloadNan = Float.intBitsToFloat(0x7f800001);
    for (float nan : new float[] {Float.NaN, lowPayloadNan}) {
      MemorySegment data = MemorySegment.ofArray(new float[] {1, nan, 2});
      TensorView x = new TensorView(data, 0, 3, 1, 3);
      MemorySegment bytes = payload(type, x);
      TensorCodec.decode(type, bytes, 3, x);
      assertThat(data.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).as("%s", type).isNaN();
    }
  }

  @Test
  void roundsBf16ToNearestEven() {
    assertThat(TensorCodec.toBf16(Float.intBitsToFloat(0x3f808000))).isEqualTo((short) 0x3f80);
    assertThat(TensorCodec.toBf16(Float.intBitsToFloat(0x3f818000))).isEqualTo((short) 0x3f82);
    assertThat(TensorCodec.toBf16(Float.intBitsToFloat(0x3f808001))).isEqualTo((short) 0x3f81);
    assertThat(TensorCodec.fromBf16(TensorCodec.toBf16(Float.NEGATIVE_INFINITY)))
        .isEqualTo(Float.NEGATIVE_INFINITY);
  }
}
