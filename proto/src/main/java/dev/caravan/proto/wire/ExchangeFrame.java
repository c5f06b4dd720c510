package dev.caravan.proto.wire;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One message between two workers: a header of 48 bytes and a payload, in one reusable buffer.
 *
 * <p>Layout, little-endian, like a .proto never to be renumbered:
 *
 * <pre>
 *  0 int32  magic 0x31585643, "CVX1"
 *  4 uint16 version of this layout, 1
 *  6 uint8  kind: 0 hello, 1 direct, 2 scatter, 3 gather, 4 handover
 *  7 uint8  payload type: 0 f32, 1 bf16, 2 q8
 *  8 uint16 stage of the sender
 * 10 uint16 rank of the sender
 * 12 int32  epoch
 * 16 int64  step
 * 24 int32  op
 * 28 int32  first row
 * 32 int32  rows
 * 36 int32  columns
 * 40 int32  payload bytes: rows * rowBytes(columns) of the payload type
 * 44 int32  reserved, 0
 * 48        payload
 * </pre>
 *
 * <p>Owned by one thread at a time: whoever fills, sends or receives it.
 */
public final class ExchangeFrame {
  public static final int HEADER_BYTES = 48;

  /** No message between workers is longer, header included: 64 MiB. */
  public static final int MAX_BYTES = 64 << 20;

  static final int MAGIC = 0x31585643;
  static final int VERSION = 1;

  private static final int MAX_ID = 0xffff;
  private static final Kind[] KINDS = Kind.values();
  private static final PayloadType[] PAYLOADS = PayloadType.values();
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final ExchangeHeader EMPTY = ExchangeHeader.hello(0, 0, 0);

  private byte[] bytes;
  private MemorySegment segment;
  private ExchangeHeader header = EMPTY;
  private int length;
  private @Nullable ClusterException defect;

  /**
   * @param capacityBytes to start with; the buffer grows when it must
   */
  public ExchangeFrame(int capacityBytes) {
    this.bytes = new byte[Math.clamp(capacityBytes, HEADER_BYTES, MAX_BYTES)];
    this.segment = MemorySegment.ofArray(bytes);
  }

  public ExchangeHeader header() {
    return header;
  }

  /** The whole frame as memory; the payload starts at {@link #HEADER_BYTES}. */
  public MemorySegment memory() {
    return segment;
  }

  /** Bytes of header and payload. */
  public int length() {
    return length;
  }

  int capacity() {
    return bytes.length;
  }

  /** Why a received frame is none, if it is not. */
  public Optional<ClusterException> defect() {
    return Optional.ofNullable(defect);
  }

  /**
   * Makes this frame one with that header; the payload is undefined until it is encoded.
   *
   * @throws ClusterException INTERNAL if the frame would be longer than {@link #MAX_BYTES}
   */
  public void start(ExchangeHeader newHeader) {
    long total = HEADER_BYTES + newHeader.payloadBytes();
    if (total > MAX_BYTES) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "a frame of %d rows x %d columns of %s takes %d bytes, more than %d: send fewer rows"
              .formatted(
                  newHeader.rows(), newHeader.columns(), newHeader.payload(), total, MAX_BYTES));
    }
    reserve((int) total);
    header = newHeader;
    length = (int) total;
    defect = null;
    writeHeader();
  }

  /** Makes this frame a frame with that header and the values of x as its payload. */
  public void encode(ExchangeHeader newHeader, TensorView x) {
    start(newHeader);
    TensorCodec.encode(newHeader.payload(), x, segment, HEADER_BYTES);
  }

  /** Replaces x, of the header's rows and columns, by the payload. */
  public void decode(TensorView x) {
    checkShape(x);
    TensorCodec.decode(header.payload(), segment, HEADER_BYTES, x);
  }

  /** Adds the payload to x, of the header's rows and columns. */
  public void decodeAdd(TensorView x) {
    checkShape(x);
    TensorCodec.decodeAdd(header.payload(), segment, HEADER_BYTES, x);
  }

  /** Makes this frame equal to another one. */
  public void copyFrom(ExchangeFrame other) {
    reserve(other.length);
    System.arraycopy(other.bytes, 0, bytes, 0, other.length);
    header = other.header;
    length = other.length;
    defect = other.defect;
  }

  /** Writes the frame and returns its length. */
  int writeTo(OutputStream out) throws IOException {
    out.write(bytes, 0, length);
    return length;
  }

  /**
   * Reads a frame, header first: no more memory is reserved than a valid header asks for.
   *
   * @throws ClusterException INCOMPATIBLE for another protocol, INTERNAL for a damaged frame
   */
  void readFrom(InputStream in) throws IOException {
    length = 0;
    defect = null;
    int headerRead = in.readNBytes(bytes, 0, HEADER_BYTES);
    if (headerRead < HEADER_BYTES) {
      throw damaged("%d bytes, less than a header of %d".formatted(headerRead, HEADER_BYTES));
    }
    header = readHeader();
    int payloadBytes = (int) header.payloadBytes();
    reserve(HEADER_BYTES + payloadBytes);
    int payloadRead = in.readNBytes(bytes, HEADER_BYTES, payloadBytes);
    if (payloadRead < payloadBytes || in.read() >= 0) {
      throw damaged(
          "%s payload bytes, the header says %d"
              .formatted(payloadRead < payloadBytes ? payloadRead : "too many", payloadBytes));
    }
    length = HEADER_BYTES + payloadBytes;
  }

  void markDefect(ClusterException newDefect) {
    defect = newDefect;
    length = 0;
    header = EMPTY;
  }

  private void checkShape(TensorView x) {
    if (x.rows() != header.rows() || x.columns() != header.columns()) {
      throw new IllegalArgumentException(
          "payload [%d, %d] for a view [%d, %d]"
              .formatted(header.rows(), header.columns(), x.rows(), x.columns()));
    }
  }

  private void reserve(int capacity) {
    if (bytes.length < capacity) {
      bytes = Arrays.copyOf(bytes, capacity);
      segment = MemorySegment.ofArray(bytes);
    }
  }

  private void writeHeader() {
    if (Math.max(header.stage(), header.rank()) > MAX_ID) {
      throw new IllegalArgumentException(
          "stage %d, rank %d: at most %d".formatted(header.stage(), header.rank(), MAX_ID));
    }
    INT.set(bytes, 0, MAGIC);
    SHORT.set(bytes, 4, (short) VERSION);
    bytes[6] = (byte) header.kind().ordinal();
    bytes[7] = (byte) header.payload().ordinal();
    SHORT.set(bytes, 8, (short) header.stage());
    SHORT.set(bytes, 10, (short) header.rank());
    INT.set(bytes, 12, header.epoch());
    LONG.set(bytes, 16, header.step());
    INT.set(bytes, 24, header.op());
    INT.set(bytes, 28, header.firstRow());
    INT.set(bytes, 32, header.rows());
    INT.set(bytes, 36, header.columns());
    INT.set(bytes, 40, length - HEADER_BYTES);
    INT.set(bytes, 44, 0);
  }

  private ExchangeHeader readHeader() {
    int magic = (int) INT.get(bytes, 0);
    int version = Short.toUnsignedInt((short) SHORT.get(bytes, 4));
    if (magic != MAGIC || version != VERSION) {
      throw new ClusterException(
          ErrorCode.INCOMPATIBLE,
          "a frame starts with 0x%08x version %d, this worker speaks 0x%08x version %d: run the same Caravan everywhere"
              .formatted(magic, version, MAGIC, VERSION));
    }
    int kind = Byte.toUnsignedInt(bytes[6]);
    int payload = Byte.toUnsignedInt(bytes[7]);
    if (kind >= KINDS.length || payload >= PAYLOADS.length) {
      throw damaged("kind %d, payload type %d".formatted(kind, payload));
    }
    ExchangeHeader read =
        new ExchangeHeader(
            KINDS[kind],
            PAYLOADS[payload],
            Short.toUnsignedInt((short) SHORT.get(bytes, 8)),
            Short.toUnsignedInt((short) SHORT.get(bytes, 10)),
            (int) INT.get(bytes, 12),
            (long) LONG.get(bytes, 16),
            (int) INT.get(bytes, 24),
            (int) INT.get(bytes, 28),
            (int) INT.get(bytes, 32),
            (int) INT.get(bytes, 36));
    checkPayload(read, (int) INT.get(bytes, 40));
    return read;
  }

  private static void checkPayload(ExchangeHeader read, int payloadBytes) {
    int rows = read.rows();
    int columns = read.columns();
    // Both bounds first: their product must not overflow a long.
    boolean absurd =
        rows < 0 || columns < 0 || rows > MAX_BYTES || columns > MAX_BYTES || read.firstRow() < 0;
    if (absurd || read.payloadBytes() != payloadBytes || payloadBytes > MAX_BYTES - HEADER_BYTES) {
      throw damaged(
          "%d rows from %d x %d columns of %s in %d payload bytes, at most %d"
              .formatted(
                  rows,
                  read.firstRow(),
                  columns,
                  read.payload(),
                  payloadBytes,
                  MAX_BYTES - HEADER_BYTES));
    }
  }

  private static ClusterException damaged(String what) {
    return new ClusterException(ErrorCode.INTERNAL, "damaged frame from a peer: " + what);
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }
}
