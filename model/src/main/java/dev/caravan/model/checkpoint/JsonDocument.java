package dev.caravan.model.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the JSON of a checkpoint under limits that keep a hostile file from filling the memory. */
final class JsonDocument {
  /** The index of Llama 3.1 405B has 100 KiB, the header of one of its files 10 KiB. */
  static final int MAX_BYTES = 16 << 20;

  private static final int MAX_DEPTH = 32;
  private static final int MAX_TOKENS = 2_000_000;
  private static final int MAX_NAME_CHARACTERS = 4096;
  private static final int MAX_STRING_CHARACTERS = 1 << 20;
  private static final int MAX_NUMBER_CHARACTERS = 64;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  // Names of unknown origin must not fill a table that outlives the document.
                  .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxTokenCount(MAX_TOKENS)
                          .maxNameLength(MAX_NAME_CHARACTERS)
                          .maxStringLength(MAX_STRING_CHARACTERS)
                          .maxNumberLength(MAX_NUMBER_CHARACTERS)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonDocument() {}

  /**
   * Reads a file that holds one JSON object.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it does not, or is
   *     beyond the limits; INVALID_REQUEST if it cannot be read
   */
  static JsonNode read(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (IOException e) {
      throw CheckpointErrors.unreadable(file, e);
    }
    if (bytes.length > MAX_BYTES) {
      throw CheckpointErrors.corrupt(
          file, "over %d bytes of JSON, more than is accepted".formatted(MAX_BYTES));
    }
    return parse(file, "", bytes);
  }

  /**
   * Parses one JSON object.
   *
   * @param place where in the file it is, for messages; empty for the whole file
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is none, or is beyond
   *     the limits
   */
  static JsonNode parse(Path file, String place, byte[] bytes) {
    String text = text(file, place, bytes);
    JsonNode node;
    try {
      node = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      JsonLocation location = e.getLocation();
      throw CheckpointErrors.corrupt(
          file,
          "%snot JSON at character %d of %d: %s"
              .formatted(
                  place,
                  location == null ? 0 : location.getCharOffset(),
                  text.length(),
                  e.getOriginalMessage()),
          e);
    }
    if (!node.isObject()) {
      throw CheckpointErrors.corrupt(
          file, "%sa JSON object is needed, not %s".formatted(place, node.getNodeType()));
    }
    return node;
  }

  /** Decodes before parsing because the parser lets some broken UTF-8 in names pass. */
  private static String text(Path file, String place, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw CheckpointErrors.corrupt(
          file, "%snot JSON: not UTF-8 (%s)".formatted(place, e.getMessage()), e);
    }
  }
}
