package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.DecoratingHttpServiceFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps pages of other sites away from a server that only this machine can reach and that asks for
 * no key: a browser would let any page send requests to it, and read the answers once the page's
 * own name leads here (DNS rebinding). Immutable.
 */
final class LoopbackGuard implements DecoratingHttpServiceFunction {
  private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

  @Override
  public HttpResponse serve(HttpService service, ServiceRequestContext context, HttpRequest request)
      throws Exception {
    String authority = request.authority();
    String origin = request.headers().get(HttpHeaderNames.ORIGIN);
    if (authority != null && !isLocal("http://" + authority)) {
      return refused("the name '%.100s' is not this machine's own".formatted(authority));
    }
    if (origin != null && !isLocal(origin)) {
      return refused("pages of '%.100s' may not use this server".formatted(origin));
    }
    return service.serve(context, request);
  }

  private static boolean isLocal(String uri) {
    try {
      @Nullable String host = new URI(uri).getHost();
      return host != null && LOCAL.contains(host.toLowerCase(Locale.ROOT));
    } catch (URISyntaxException e) {
      return false;
    }
  }

  private static HttpResponse refused(String why) {
    return Replies.error(
            new ApiError(
                403,
                "permission_error",
                why
                    + ": it listens on the loopback address without keys;"
                    + " call it as localhost, or start it with --api-key-file",
                null,
                "foreign_origin"))
        .toHttpResponse();
  }
}
