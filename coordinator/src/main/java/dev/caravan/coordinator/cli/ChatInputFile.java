package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a file of conversations. */
final class ChatInputFile {
  private static final int MAX_STRING = 64 << 20;
  private static final int MAX_DEPTH = 128;

  private ChatInputFile() {}

  /**
   * Reads a JSON array, whatever its elements are.
   *
   * @throws ClusterException INVALID_REQUEST if it is something else
   */
  static List<JsonNode> read(Path file) {
    String text = IdsFiles.readText(file);
    JsonNode root;
    try {
      root = mapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw invalid(
          "%s is not JSON: %s (line %d)"
              .formatted(
                  file,
                  e.getOriginalMessage(),
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr()),
          e);
    }
    if (!root.isArray()) {
      throw invalid(
          "%s holds a JSON %s, not an array of objects with messages"
              .formatted(file, root.getNodeType()),
          null);
    }
    List<JsonNode> cases = new ArrayList<>(root.size());
    root.forEach(cases::add);
    return cases;
  }

  private static JsonMapper mapper() {
    return JsonMapper.builder(
            JsonFactory.builder()
                .streamReadConstraints(
                    StreamReadConstraints.builder()
                        .maxStringLength(MAX_STRING)
                        .maxNestingDepth(MAX_DEPTH)
                        .build())
                .build())
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build();
  }

  private static ClusterException invalid(String message, @Nullable Throwable cause) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message, cause);
  }
}
