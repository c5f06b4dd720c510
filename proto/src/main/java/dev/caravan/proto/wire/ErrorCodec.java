package dev.caravan.proto.wire;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * Carries a {@link ClusterException} over gRPC: its code in a trailer, its message in the status.
 */
public final class ErrorCodec {
  private static final Metadata.Key<String> CODE =
      Metadata.Key.of("caravan-error-code", Metadata.ASCII_STRING_MARSHALLER);

  private ErrorCodec() {}

  /** Returns the error as a gRPC status with trailers; an unexpected error becomes INTERNAL. */
  public static StatusRuntimeException toStatus(Throwable error) {
    if (error instanceof StatusRuntimeException status) {
      return status;
    }
    ErrorCode code = error instanceof ClusterException e ? e.code() : ErrorCode.INTERNAL;
    String message = error instanceof ClusterException ? error.getMessage() : "unexpected " + error;
    Metadata trailers = new Metadata();
    trailers.put(CODE, code.name());
    return statusCode(code).withDescription(message).withCause(error).asRuntimeException(trailers);
  }

  /** Returns the error that a peer reported, or null if the status carries none (a broken link). */
  public static @Nullable ClusterException fromStatus(Throwable error) {
    Metadata trailers = Status.trailersFromThrowable(error);
    String name = trailers == null ? null : trailers.get(CODE);
    if (name == null) {
      return null;
    }
    String description = Status.fromThrowable(error).getDescription();
    return new ClusterException(
        codeNamed(name), description == null ? "no description" : description, error);
  }

  private static ErrorCode codeNamed(String name) {
    for (ErrorCode code : ErrorCode.values()) {
      if (code.name().equals(name)) {
        return code;
      }
    }
    return ErrorCode.INTERNAL;
  }

  static Status statusCode(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST, CONTEXT_TOO_LONG -> Status.INVALID_ARGUMENT;
      case OVERLOADED -> Status.RESOURCE_EXHAUSTED;
      case MODEL_NOT_READY, WORKER_LOST -> Status.UNAVAILABLE;
      case UNPLACEABLE, INCOMPATIBLE -> Status.FAILED_PRECONDITION;
      case STALE_EPOCH -> Status.ABORTED;
      case DEADLINE_EXCEEDED -> Status.DEADLINE_EXCEEDED;
      case CANCELLED -> Status.CANCELLED;
      case CHECKPOINT_CORRUPT -> Status.DATA_LOSS;
      case INTERNAL -> Status.INTERNAL;
    };
  }
}
