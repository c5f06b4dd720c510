package dev.caravan.coordinator.api;

import org.jspecify.annotations.Nullable;

/** A request that is refused: carries the error that the caller gets. */
public final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient ApiError error;

  public ApiException(ApiError error) {
    this(error, null);
  }

  public ApiException(ApiError error, @Nullable Throwable cause) {
    super(error.message(), cause);
    this.error = error;
  }

  /** A field of the request is wrong. */
  public static ApiException ofParam(String param, String message) {
    return new ApiException(ApiError.ofParam(param, message));
  }

  public ApiError error() {
    return error;
  }
}
