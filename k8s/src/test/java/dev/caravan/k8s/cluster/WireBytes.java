package dev.caravan.k8s.cluster;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.PayloadType;
import java.util.stream.IntStream;

/**
 * Bytes that the workers of a stage put on the cables for their all-reduces, all of them together.
 *
 * <p>A step of R rows makes two all-reduces per layer over [R, hiddenSize]; that halves of many
 * rows have headers of their own is left out. With n ranks, and with rowBytes(c) the bytes of c
 * values as they travel (f32: 4c, bf16: 2c, q8: 36 for 32 values):
 *
 * <ul>
 *   <li>direct: n (n - 1) messages of R rowBytes(hiddenSize);
 *   <li>scatter: each rank adds up one run of c columns, whole blocks of 32 in even shares, and
 *       gets n - 1 messages of R rowBytes(c) for it, then sends n - 1.
 * </ul>
 *
 * A message is a frame of {@value ExchangeFrame#HEADER_BYTES} bytes and its payload, 5 bytes of
 * gRPC and 9 of HTTP/2 for each 16 KiB. On Ethernet with an MTU of 1500 each 1448 bytes of that
 * cost {@value #SEGMENT_BYTES} more: Ethernet 14, IPv4 20, TCP with timestamps 32.
 *
 * @param ranks of the stage
 * @param layers of the stage
 * @param hiddenSize columns of an all-reduce
 * @param payload how values travel
 * @param direct or else scatter and gather
 */
record WireBytes(int ranks, int layers, int hiddenSize, PayloadType payload, boolean direct) {
  private static final int ALL_REDUCES_PER_LAYER = 2;
  private static final int GRPC_PREFIX_BYTES = 5;
  private static final int HTTP2_FRAME_BYTES = 16 << 10;
  private static final int HTTP2_HEADER_BYTES = 9;
  private static final int SEGMENT_PAYLOAD_BYTES = 1448;
  static final int SEGMENT_BYTES = 66;

  /** Returns the bytes of a step. */
  long ofStep(int rows) {
    return (long) ALL_REDUCES_PER_LAYER * layers * ofAllReduce(rows);
  }

  private long ofAllReduce(int rows) {
    if (direct) {
      return (long) ranks * (ranks - 1) * ofMessage(rows, hiddenSize);
    }
    return IntStream.range(0, ranks)
        .map(this::columns)
        .mapToLong(columns -> 2L * (ranks - 1) * ofMessage(rows, columns))
        .sum();
  }

  /** Columns that a rank adds up. */
  private int columns(int rank) {
    int blocks = Math.ceilDiv(hiddenSize, PayloadType.BLOCK);
    int start = blocks * rank / ranks * PayloadType.BLOCK;
    int end = blocks * (rank + 1) / ranks * PayloadType.BLOCK;
    return Math.min(end, hiddenSize) - Math.min(start, hiddenSize);
  }

  private long ofMessage(int rows, int columns) {
    if (columns == 0) {
      return 0;
    }
    long message =
        GRPC_PREFIX_BYTES + ExchangeFrame.HEADER_BYTES + rows * payload.rowBytes(columns);
    long stream = message + Math.ceilDiv(message, HTTP2_FRAME_BYTES) * HTTP2_HEADER_BYTES;
    return stream + Math.ceilDiv(stream, SEGMENT_PAYLOAD_BYTES) * SEGMENT_BYTES;
  }
}
