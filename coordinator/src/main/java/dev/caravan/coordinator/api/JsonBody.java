package dev.caravan.coordinator.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads JSON objects of callers, within limits: a request's body, or one inside. */
public final class JsonBody {
  private static final int MAX_DEPTH = 100;
  private static final int MAX_DIGITS = 100;
  private static final int MAX_NAME_CHARS = 10_000;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_DIGITS)
                          .maxNameLength(MAX_NAME_CHARS)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonBody() {}

  /**
   * Parses a body.
   *
   * @throws ApiException status 400 if it is not UTF-8, not JSON, too deep, or no object
   */
  public static ObjectNode parse(byte[] body) {
    String text = decode(body);
    try {
      JsonNode node = MAPPER.readTree(text);
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw invalid(
          "the body is %s; send a JSON object"
              .formatted(node.isMissingNode() ? "empty" : "a JSON " + node.getNodeType()),
          null);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " at line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw invalid("the body is not valid JSON%s: %s".formatted(where, e.getOriginalMessage()), e);
    }
  }

  private static String decode(byte[] body) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw invalid("the body is not valid UTF-8", e);
    }
  }

  private static ApiException invalid(String message, @Nullable Throwable cause) {
    return new ApiException(ApiError.ofStatus(400, message), cause);
  }
}
