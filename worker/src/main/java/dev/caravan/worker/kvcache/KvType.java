package dev.caravan.worker.kvcache;

/** How keys and values are stored. */
public enum KvType {
  F32(4),
  /** Rounded to nearest even; beyond the type's range the largest number, 65504. */
  F16(2);

  private final int bytes;

  KvType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
