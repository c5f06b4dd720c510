package dev.caravan.proto.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ExchangeFrameTest {
  private static final ExchangeHeader HEADER =
      new ExchangeHeader(Kind.SCATTER, PayloadType.BF16, 3, 65535, -7, 1L << 40, 159, 4, 2, 33);

  private final FramePool pool = new FramePool(1 << 20);
  private final MethodDescriptor<ExchangeFrame, ExchangeFrame> method = ExchangeMethod.create(pool);

  private static ExchangeFrame frame() {
    float[] values = new float[66];
    Arrays.fill(values, 1.5f);
    ExchangeFrame frame = new ExchangeFrame(0);
    frame.encode(HEADER, new TensorView(MemorySegment.ofArray(values), 0, 33, 2, 33));
    return frame;
  }

  private static byte[] bytes(ExchangeFrame frame) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      frame.writeTo(out);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private ExchangeFrame parse(byte[] bytes) {
    return method.parseRequest(new ByteArrayInputStream(bytes));
  }

  private void assertDefect(ErrorCode code, Consumer<ByteBuffer> damage, String... parts) {
    byte[] bytes = bytes(frame());
    damage.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    ClusterException defect = parse(bytes).defect().orElseThrow();
    assertThat(defect.code()).isEqualTo(code);
    assertThat(defect).hasMessageContainingAll(parts);
  }

  @Test
  void comesBackAsItWas() {
    ExchangeFrame back = parse(bytes(frame()));
    assertThat(back.defect()).isEmpty();
    assertThat(back.header()).isEqualTo(HEADER);
    assertThat(back.length()).isEqualTo(48 + 2 * 33 * 2);
    float[] values = new float[66];
    back.decode(new TensorView(MemorySegment.ofArray(values), 0, 33, 2, 33));
    assertThat(values).containsOnly(1.5f);
  }

  @Test
  void keepsItsLayout() {
    ByteBuffer bytes = ByteBuffer.wrap(bytes(frame())).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(new String(bytes.array(), 0, 4, java.nio.charset.StandardCharsets.US_ASCII))
        .isEqualTo("CVX1");
    assertThat(bytes.getShort(4)).isEqualTo((short) 1);
    assertThat(bytes.get(6)).isEqualTo((byte) 2);
    assertThat(bytes.get(7)).isEqualTo((byte) 1);
    assertThat(bytes.getShort(8)).isEqualTo((short) 3);
    assertThat(bytes.getShort(10)).isEqualTo((short) -1);
    assertThat(bytes.getInt(12)).isEqualTo(-7);
    assertThat(bytes.getLong(16)).isEqualTo(1L << 40);
    assertThat(bytes.getInt(24)).isEqualTo(159);
    assertThat(bytes.getInt(28)).isEqualTo(4);
    assertThat(bytes.getInt(32)).isEqualTo(2);
    assertThat(bytes.getInt(36)).isEqualTo(33);
    assertThat(bytes.getInt(40)).isEqualTo(132);
  }

  @Test
  void refusesHostileFrames() {
    assertDefect(ErrorCode.INCOMPATIBLE, b -> b.putInt(0, 0x20544547), "0x20544547", "0x31585643");
    assertDefect(ErrorCode.INCOMPATIBLE, b -> b.putShort(4, (short) 2), "version 2", "version 1");
    assertDefect(ErrorCode.INTERNAL, b -> b.put(6, (byte) 5), "kind 5");
    assertDefect(ErrorCode.INTERNAL, b -> b.put(7, (byte) 200), "payload type 200");
    assertDefect(ErrorCode.INTERNAL, b -> b.putInt(32, -1), "-1 rows");
    assertDefect(ErrorCode.INTERNAL, b -> b.putInt(36, Integer.MAX_VALUE), "x 2147483647 columns");
    assertDefect(ErrorCode.INTERNAL, b -> b.putInt(32, 3), "3 rows", "132 payload bytes");
    assertDefect(ErrorCode.INTERNAL, b -> b.putInt(28, -4), "rows from -4");
    assertDefect(
        ErrorCode.INTERNAL,
        b -> b.putInt(32, 1 << 20).putInt(36, 64).putInt(40, 1 << 27),
        "134217728 payload bytes",
        "at most 67108816");
  }

  @Test
  void refusesShortAndLongFrames() {
    byte[] whole = bytes(frame());
    assertThat(parse(Arrays.copyOf(whole, 47)).defect().orElseThrow()).hasMessageContaining("47");
    assertThat(parse(Arrays.copyOf(whole, 100)).defect().orElseThrow())
        .hasMessageContainingAll("52 payload bytes", "132");
    assertThat(parse(Arrays.copyOf(whole, 181)).defect().orElseThrow())
        .hasMessageContaining("too many");
    assertThat(parse(new byte[0]).defect()).isPresent();
  }

  @Test
  void survivesRandomBytes() {
    Random random = new Random(42);
    byte[] whole = bytes(frame());
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = whole.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        damaged[random.nextInt(48)] = (byte) random.nextInt();
      }
      ExchangeFrame read = parse(damaged);
      assertThat(read.defect().isPresent() || read.length() == whole.length).isTrue();
      pool.giveBack(read);
    }
  }

  @Test
  void refusesToBuildFramesThatNobodyAccepts() {
    ExchangeHeader huge =
        new ExchangeHeader(Kind.DIRECT, PayloadType.F32, 0, 0, 1, 1, 0, 0, 4097, 4096);
    assertThatThrownBy(() -> new ExchangeFrame(0).start(huge))
        .isInstanceOf(ClusterException.class)
        .hasMessageContainingAll("4097 rows", "67108864");
  }

  @Test
  void drainsInOneWriteOfKnownLength() throws IOException {
    ExchangeFrame frame = frame();
    try (InputStream stream = method.streamRequest(frame)) {
      assertThat(stream).isInstanceOf(KnownLength.class);
      assertThat(stream.available()).isEqualTo(frame.length());
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      assertThat(((Drainable) stream).drainTo(out)).isEqualTo(frame.length());
      assertThat(out.toByteArray()).isEqualTo(bytes(frame));
      assertThat(stream.available()).isZero();
    }
  }

  @Test
  void reusesFramesUpToItsBound() {
    FramePool small = new FramePool(100_000);
    ExchangeFrame first = small.take(60_000);
    ExchangeFrame second = small.take(60_000);
    small.giveBack(first);
    small.giveBack(second);
    assertThat(small.take(50_000)).isSameAs(first);
    assertThat(small.take(50_000)).isNotSameAs(second);
  }
}
