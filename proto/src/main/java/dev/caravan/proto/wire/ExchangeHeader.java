package dev.caravan.proto.wire;

/**
 * What a frame between two workers says about itself.
 *
 * @param kind which exchange it belongs to
 * @param payload how its values are stored
 * @param stage pipeline stage of the sender, 0..65535
 * @param rank rank of the sender, 0..65535
 * @param epoch incarnation of the cluster
 * @param step of the batch; 0 in a hello
 * @param op which all-reduce of the step; 0 outside of one
 * @param firstRow row of the batch that the payload starts with
 * @param rows of the payload
 * @param columns of the payload
 */
public record ExchangeHeader(
    Kind kind,
    PayloadType payload,
    int stage,
    int rank,
    int epoch,
    long step,
    int op,
    int firstRow,
    int rows,
    int columns) {

  /** The exchanges. */
  public enum Kind {
    /** First frame of a stream in both directions: who speaks. No payload. */
    HELLO,
    /** A rank's partial sums, to every other rank. */
    DIRECT,
    /** A rank's partial sums of the columns that the receiver adds up. */
    SCATTER,
    /** Sums of the columns that the sender added up. */
    GATHER,
    /** Hidden states for the next stage. */
    HANDOVER
  }

  /** Returns the hello of a worker. */
  public static ExchangeHeader hello(int stage, int rank, int epoch) {
    return new ExchangeHeader(Kind.HELLO, PayloadType.F32, stage, rank, epoch, 0, 0, 0, 0, 0);
  }

  /** Returns the same header from another sender. */
  public ExchangeHeader from(int senderStage, int senderRank) {
    return new ExchangeHeader(
        kind, payload, senderStage, senderRank, epoch, step, op, firstRow, rows, columns);
  }

  /** Returns the same header for another exchange of the same rows. */
  public ExchangeHeader of(Kind otherKind, int otherColumns) {
    return new ExchangeHeader(
        otherKind, payload, stage, rank, epoch, step, op, firstRow, rows, otherColumns);
  }

  public long payloadBytes() {
    return rows * payload.rowBytes(columns);
  }
}
