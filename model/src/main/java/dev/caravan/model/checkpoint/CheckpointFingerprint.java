package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a checkpoint, computed when first asked for: reading samples of 1,138 tensors
 * from a cold disk takes a while. Thread-safe.
 */
final class CheckpointFingerprint {
  private static final long SAMPLE_BYTES = 4096;

  private final LlamaConfig config;
  private final QkRowOrder rowOrder;
  private final List<TensorEntry> tensors;
  private @Nullable String hex;

  CheckpointFingerprint(LlamaConfig config, QkRowOrder rowOrder, List<TensorEntry> tensors) {
    this.config = config;
    this.rowOrder = rowOrder;
    this.tensors = tensors;
  }

  /** See {@link Checkpoint#fingerprint}. */
  synchronized String hex() {
    String known = hex;
    if (known == null) {
      known = compute();
      hex = known;
    }
    return known;
  }

  private String compute() {
    MessageDigest digest = sha256();
    text(digest, config.toString());
    text(digest, rowOrder.name());
    tensors.stream()
        .sorted(Comparator.comparing(TensorEntry::name))
        .forEach(tensor -> {
          text(digest, tensor.name());
          text(digest, tensor.dtype().name());
          number(digest, tensor.rows());
          number(digest, tensor.columns());
          samples(digest, tensor.data());
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void samples(MessageDigest digest, MemorySegment data) {
    long size = data.byteSize();
    if (size <= 3 * SAMPLE_BYTES) {
      digest.update(data.asByteBuffer());
      return;
    }
    for (long start : new long[] {0, (size - SAMPLE_BYTES) / 2, size - SAMPLE_BYTES}) {
      digest.update(data.asSlice(start, SAMPLE_BYTES).asByteBuffer());
    }
  }

  /** The length goes first, so that no two lists of texts give the same bytes. */
  private static void text(MessageDigest digest, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(digest, utf8.length);
    digest.update(utf8);
  }

  private static void number(MessageDigest digest, long number) {
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
