package dev.caravan.model.vocabulary;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;

/** Reads JSON files of unknown origin with bounds on depth, tokens and sizes. Thread-safe. */
final class JsonFiles {
  /** Llama 3's tokenizer.json with merges as pairs has 1.4 million JSON tokens. */
  private static final long MAX_JSON_TOKENS = 6_000_000;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxDocumentLength(FilePlace.MAX_BYTES)
                          .maxTokenCount(MAX_JSON_TOKENS)
                          .maxStringLength(4 << 20)
                          .maxNameLength(1 << 16)
                          .build())
                  // A vocabulary's keys are all different: a table of them only costs.
                  .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonFiles() {}

  /**
   * Returns the object that a file holds.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is not one JSON
   *     object inside the bounds
   */
  static JsonNode object(byte[] content, FilePlace place) {
    JsonNode root;
    try {
      root = MAPPER.readTree(content);
    } catch (IOException e) {
      throw place.corrupt("not the JSON that is expected: " + e.getMessage(), e);
    }
    if (!root.isObject()) {
      throw place.corrupt("it holds a JSON %s, not an object".formatted(root.getNodeType()));
    }
    return root;
  }
}
