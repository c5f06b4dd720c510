package dev.caravan.coordinator.schedule;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Names the content of a full KV block: the ids in it and all ids before it, by the first 128 bits
 * of a chain of SHA-256. So many bits of such a hash never meet by chance nor by intent: equal keys
 * are equal texts.
 */
record BlockKey(long high, long low) {
  /** Of the text before the first block. */
  static final BlockKey START = new BlockKey(0, 0);

  /** Returns the key of the block after this one, with the ids in [from, to). */
  BlockKey next(int[] ids, int from, int to) {
    ByteBuffer content = ByteBuffer.allocate(2 * Long.BYTES + (to - from) * Integer.BYTES);
    content.putLong(high).putLong(low);
    for (int i = from; i < to; i++) {
      content.putInt(ids[i]);
    }
    ByteBuffer hash = ByteBuffer.wrap(sha256().digest(content.array()));
    return new BlockKey(hash.getLong(), hash.getLong());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
