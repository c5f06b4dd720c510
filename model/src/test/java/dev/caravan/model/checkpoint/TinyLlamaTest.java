package dev.caravan.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TinyLlamaTest {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final LlamaConfig CONFIG =
      new LlamaConfig(256, 512, 1, 4, 2, 64, 300, 64, 1e-5f, 10_000, new RopeScaling.None(), true);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(DType.class)
  void elementsOfEveryTypeHaveTheSameSpread(DType dtype) throws IOException {
    Path file = directory.resolve("model.gguf");
    TinyLlama.write(file, CONFIG, name -> dtype, 3);
    try (Checkpoint checkpoint = Checkpoints.open(file)) {
      TensorEntry tensor = checkpoint.weight(WeightName.of(WeightName.Kind.FFN_UP, 0));
      long blocks = tensor.data().byteSize() / dtype.blockBytes();
      double squares = 0;
      for (long block = 0; block < blocks; block++) {
        MemorySegment bytes = tensor.data().asSlice(block * dtype.blockBytes(), dtype.blockBytes());
        for (int i = 0; i < dtype.blockElements(); i++) {
          double element = element(dtype, bytes, i);
          squares += element * element;
        }
      }
      double deviation = Math.sqrt(squares / (tensor.rows() * tensor.columns()));
      assertThat(deviation).isCloseTo(1 / Math.sqrt(256), Percentage.withPercentage(15));
    }
  }

  @Test
  void normsAreF32AroundOne() throws IOException {
    Path file = directory.resolve("model.gguf");
    TinyLlama.write(file, CONFIG, name -> DType.Q4_0, 3);
    try (Checkpoint checkpoint = Checkpoints.open(file)) {
      TensorEntry norm = checkpoint.weight(WeightName.of(WeightName.Kind.FINAL_NORM));
      for (int i = 0; i < 256; i++) {
        assertThat(norm.data().getAtIndex(FLOAT, i)).isBetween(0.4f, 1.6f);
      }
    }
  }

  /** Dequantises one element, written out plainly from the block layouts of the ggml project. */
  private static double element(DType dtype, MemorySegment b, int i) {
    return switch (dtype) {
      case F32 -> b.get(FLOAT, 0);
      case F16 -> f16(b, 0);
      case BF16 -> Float.intBitsToFloat(b.get(SHORT, 0) << 16);
      case Q8_0 -> f16(b, 0) * b.get(ValueLayout.JAVA_BYTE, 2 + i);
      case Q4_0 -> f16(b, 0) * ((u8(b, 2 + i % 16) >> (i / 16 * 4) & 15) - 8);
      case Q4_K -> {
        int quant = u8(b, 16 + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15;
        yield f16(b, 0) * scale(b, i / 32) * quant - f16(b, 2) * min(b, i / 32);
      }
      case Q5_K -> {
        int low = u8(b, 48 + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15;
        int high = u8(b, 16 + i % 32) >> (i / 32) & 1;
        yield f16(b, 0) * scale(b, i / 32) * (low + 16 * high) - f16(b, 2) * min(b, i / 32);
      }
      case Q6_K -> {
        int inHalf = i % 128;
        int low = u8(b, i / 128 * 64 + inHalf % 64) >> (inHalf / 64 * 4) & 15;
        int high = u8(b, 128 + i / 128 * 32 + inHalf % 32) >> (inHalf / 32 * 2) & 3;
        yield f16(b, 208) * b.get(ValueLayout.JAVA_BYTE, 192 + i / 16) * (low + 16 * high - 32);
      }
    };
  }

  private static int scale(MemorySegment b, int sub) {
    return sub < 4 ? u8(b, 4 + sub) & 63 : (u8(b, 8 + sub) & 15) | (u8(b, sub) >> 6 << 4);
  }

  private static int min(MemorySegment b, int sub) {
    return sub < 4 ? u8(b, 8 + sub) & 63 : (u8(b, 8 + sub) >> 4) | (u8(b, 4 + sub) >> 6 << 4);
  }

  private static int u8(MemorySegment b, int at) {
    return Byte.toUnsignedInt(b.get(ValueLayout.JAVA_BYTE, at));
  }

  private static double f16(MemorySegment b, int at) {
    return Float.float16ToFloat(b.get(SHORT, at));
  }
}
