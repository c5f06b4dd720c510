package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.stream.CancelledSubscriptionException;
import com.linecorp.armeria.common.stream.ClosedStreamException;
import com.linecorp.armeria.common.util.Exceptions;
import com.linecorp.armeria.server.HttpResponseException;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.caravan.model.error.ClusterException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives every error, also those of the protocol, the same shape. Immutable. */
final class ErrorReplies implements ServerErrorHandler {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorReplies.class);

  @Override
  public HttpResponse onServiceException(ServiceRequestContext context, Throwable cause) {
    Throwable peeled = Exceptions.peel(cause);
    if (peeled instanceof HttpResponseException ready) {
      return ready.httpResponse();
    }
    return Replies.error(error(context, peeled)).toHttpResponse();
  }

  @Override
  public AggregatedHttpResponse renderStatus(
      @Nullable ServiceRequestContext context,
      ServiceConfig config,
      @Nullable RequestHeaders headers,
      HttpStatus status,
      @Nullable String description,
      @Nullable Throwable cause) {
    String message = description == null ? status.reasonPhrase() : description;
    return Replies.error(ApiError.ofStatus(status.code(), message));
  }

  private static ApiError error(ServiceRequestContext context, Throwable cause) {
    return switch (cause) {
      case ApiException refused -> refused.error();
      case ClusterException known -> ApiError.of(known);
      case ContentTooLargeException large ->
          ApiError.ofStatus(413, "the body is over %d bytes".formatted(large.maxContentLength()));
      case RequestTimeoutException _ ->
          ApiError.ofStatus(408, "the request did not arrive within the time that is allowed");
      // The caller is gone: nobody reads this.
      case ClosedSessionException _, ClosedStreamException _, CancelledSubscriptionException _ ->
          ApiError.ofStatus(499, "the caller went away");
      case HttpStatusException status -> ofStatus(context, status.httpStatus());
      default -> {
        LOG.error("action=serve path={}", context.path(), cause);
        yield ApiError.ofStatus(500, "a defect of the server: " + cause);
      }
    };
  }

  private static ApiError ofStatus(ServiceRequestContext context, HttpStatus status) {
    String message =
        switch (status.code()) {
          case 404 -> "there is no %s here".formatted(context.path());
          case 405 -> "%s does not take %s".formatted(context.path(), context.method());
          default -> status.reasonPhrase().toLowerCase(Locale.ROOT);
        };
    return ApiError.ofStatus(status.code(), message);
  }
}
