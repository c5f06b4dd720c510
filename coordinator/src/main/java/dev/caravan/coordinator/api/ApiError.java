package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An error as callers see it, in OpenAI's shape.
 *
 * @param status of HTTP
 * @param type a family of errors, such as invalid_request_error
 * @param param the request's field that is to blame, if one is
 * @param code what programs may test for
 */
public record ApiError(
    int status, String type, String message, @Nullable String param, @Nullable String code) {
  /** When to try again what failed for want of capacity, in seconds. */
  public static final int RETRY_AFTER_SECONDS = 2;

  private static final String BAD_REQUEST = "invalid_request_error";

  /** The one place that says which HTTP status an error of the cluster is. */
  public static ApiError of(ClusterException error) {
    ErrorCode code = error.code();
    int status = status(code);
    String name =
        code == ErrorCode.CONTEXT_TOO_LONG
            ? "context_length_exceeded"
            : code.name().toLowerCase(Locale.ROOT);
    return new ApiError(status, type(status), String.valueOf(error.getMessage()), null, name);
  }

  /** A field of the request is wrong: status 400. */
  public static ApiError ofParam(String param, String message) {
    return new ApiError(400, BAD_REQUEST, message, param, "invalid_value");
  }

  /** The request is wrong as a whole, or the protocol was violated. */
  public static ApiError ofStatus(int status, String message) {
    return new ApiError(status, type(status), message, null, null);
  }

  /** Returns true if the same request may succeed later. */
  public boolean isTemporary() {
    return status == 429 || status == 503;
  }

  /** Returns the body of the answer. */
  public ObjectNode json() {
    ObjectNode error = JsonNodeFactory.instance.objectNode();
    error.put("message", message).put("type", type).put("param", param).put("code", code);
    return JsonNodeFactory.instance.objectNode().set("error", error);
  }

  private static int status(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST, CONTEXT_TOO_LONG -> 400;
      case OVERLOADED -> 429;
      case MODEL_NOT_READY, UNPLACEABLE, WORKER_LOST, STALE_EPOCH, INCOMPATIBLE -> 503;
      case DEADLINE_EXCEEDED -> 504;
      // Nginx's status for a caller that went away: nobody reads it, logs show it.
      case CANCELLED -> 499;
      case CHECKPOINT_CORRUPT, INTERNAL -> 500;
    };
  }

  private static String type(int status) {
    return switch (status) {
      case 401 -> "authentication_error";
      case 429 -> "rate_limit_error";
      case 503 -> "service_unavailable_error";
      case 504 -> "timeout_error";
      default -> status < 500 ? BAD_REQUEST : "server_error";
    };
  }
}
