package dev.caravan.model.vocabulary;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file that is being read, to name it in errors and to bound what is read of it. Immutable.
 *
 * @param file its path
 */
record FilePlace(Path file) {
  /** Larger than any vocabulary seen (Llama 3's tokenizer.json has 17 MB), small enough to hold. */
  static final long MAX_BYTES = 64L << 20;

  /**
   * Returns the whole file.
   *
   * @throws ClusterException INVALID_REQUEST if it is not there, CHECKPOINT_CORRUPT if it is larger
   *     than {@link #MAX_BYTES} or cannot be read
   */
  byte[] readAll() {
    try {
      long bytes = Files.size(file);
      if (bytes > MAX_BYTES) {
        throw corrupt("%d bytes, at most %d are read".formatted(bytes, MAX_BYTES));
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "%s: no such file, give the path of one".formatted(file), e);
    } catch (IOException e) {
      throw corrupt("cannot be read: " + e, e);
    }
  }

  /** Returns the error for a file that is damaged. */
  ClusterException corrupt(String what) {
    return corrupt(what, null);
  }

  ClusterException corrupt(String what, @Nullable Throwable cause) {
    return new ClusterException(
        ErrorCode.CHECKPOINT_CORRUPT,
        "%s: %s; download or convert the file again".formatted(file, what),
        cause);
  }

  /** Returns the error for a file that is sound but not of a Llama. */
  ClusterException unsupported(String what) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "%s: %s; only the tokenizers of Llama 2 and Llama 3 are supported".formatted(file, what));
  }
}
