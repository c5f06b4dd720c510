package dev.caravan.proto.wire;

/** What both sides of every connection must agree on. */
public final class ClusterProtocol {
  /** Version of the messages between coordinator and workers; checked when a worker joins. */
  public static final int VERSION = 4;

  /** No message is larger than this, in bytes. */
  public static final int MAX_MESSAGE_BYTES = 64 << 20;

  /**
   * A connection on which nothing comes for so long is tried; and again so long, and it is lost.
   */
  public static final int KEEP_ALIVE_SECONDS = 5;

  private ClusterProtocol() {}
}
