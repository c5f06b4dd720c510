package dev.caravan.coordinator.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import java.nio.charset.StandardCharsets;

/** Makes HTTP answers of JSON and of errors. */
public final class Replies {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Replies() {}

  /** An answer of status 200. */
  public static AggregatedHttpResponse ok(JsonNode body) {
    return AggregatedHttpResponse.of(
        ResponseHeaders.of(
            HttpStatus.OK,
            HttpHeaderNames.CONTENT_TYPE,
            MediaType.JSON,
            "cache-control",
            "no-store"),
        data(body));
  }

  /** An error's answer; it says when to try again if that may help. */
  public static AggregatedHttpResponse error(ApiError error) {
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(HttpStatus.valueOf(error.status())).contentType(MediaType.JSON);
    if (error.isTemporary()) {
      headers.addInt(HttpHeaderNames.RETRY_AFTER, ApiError.RETRY_AFTER_SECONDS);
    }
    if (error.status() == 401) {
      headers.add(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer");
    }
    return AggregatedHttpResponse.of(headers.build(), data(error.json()));
  }

  /** Returns JSON as text. */
  public static String text(JsonNode body) {
    try {
      return MAPPER.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a JSON tree that cannot be written", e);
    }
  }

  /** By way of a String: half a surrogate pair becomes a question mark instead of an error. */
  private static HttpData data(JsonNode body) {
    return HttpData.wrap(text(body).getBytes(StandardCharsets.UTF_8));
  }
}
