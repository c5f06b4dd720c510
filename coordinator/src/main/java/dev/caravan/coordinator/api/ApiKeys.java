package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.DecoratingHttpServiceFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets only those in who know a key, if there are keys. Probes, metrics and the page's files stay
 * open: only GETs outside /v1/. Immutable.
 */
public final class ApiKeys implements DecoratingHttpServiceFunction {
  private static final String SCHEME = "bearer ";

  private final List<byte[]> digests;

  /**
   * @param keys none of them blank; empty to let everybody in
   */
  public ApiKeys(List<String> keys) {
    this.digests = keys.stream().map(ApiKeys::digest).toList();
  }

  /** Returns false if everybody is let in. */
  boolean isNeeded() {
    return !digests.isEmpty();
  }

  @Override
  public HttpResponse serve(HttpService service, ServiceRequestContext context, HttpRequest request)
      throws Exception {
    if (digests.isEmpty()
        || isOpen(request.method(), context.path())
        || isKnown(request.headers().get(HttpHeaderNames.AUTHORIZATION))) {
      return service.serve(context, request);
    }
    return Replies.error(
            new ApiError(
                401,
                "authentication_error",
                "a key is needed: send it as Authorization: Bearer KEY",
                null,
                "invalid_api_key"))
        .toHttpResponse();
  }

  private static boolean isOpen(HttpMethod method, String path) {
    return (method == HttpMethod.GET || method == HttpMethod.HEAD) && !path.startsWith("/v1/");
  }

  private boolean isKnown(@Nullable String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return false;
    }
    byte[] digest = digest(authorization.substring(SCHEME.length()).strip());
    boolean known = false;
    // All are compared, each in constant time: how long it takes tells nothing about any key.
    for (byte[] key : digests) {
      known |= MessageDigest.isEqual(key, digest);
    }
    return known;
  }

  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
