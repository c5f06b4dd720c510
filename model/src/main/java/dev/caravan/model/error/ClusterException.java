package dev.caravan.model.error;

import org.jspecify.annotations.Nullable;

/** An operating error: what failed, where, with the numbers, and what to do about it. */
public final class ClusterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public ClusterException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public ClusterException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
