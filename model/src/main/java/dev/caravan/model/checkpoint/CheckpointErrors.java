package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;

/** The three ways in which opening a checkpoint fails; every message starts with the file. */
final class CheckpointErrors {
  private CheckpointErrors() {}

  /** The file breaks its own format. */
  static ClusterException corrupt(Path file, String problem) {
    return new ClusterException(ErrorCode.CHECKPOINT_CORRUPT, file + ": " + problem);
  }

  /** The file breaks its own format, as a parser found out. */
  static ClusterException corrupt(Path file, String problem, Exception cause) {
    return new ClusterException(ErrorCode.CHECKPOINT_CORRUPT, file + ": " + problem, cause);
  }

  /** The file may be sound, but holds something that Caravan does not run. */
  static ClusterException unsupported(Path file, String problem) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, file + ": " + problem);
  }

  /** The operating system does not give the file. */
  static ClusterException unreadable(Path file, IOException cause) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "%s: cannot be read (%s); check the path and its permissions".formatted(file, cause),
        cause);
  }
}
