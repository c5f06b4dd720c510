package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/** What the references of one schema point at, and how much work it may cause. */
final class References {
  private static final int MAX_STEPS = 20_000;

  private final JsonNode root;
  private int steps;

  References(JsonNode root) {
    this.root = root;
  }

  /**
   * Counts one subschema that is looked at.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if there are too many
   */
  void spend(SchemaPlace place) {
    steps++;
    if (steps > MAX_STEPS) {
      throw place.refuse(
          "makes the schema too large: more than %d subschemas".formatted(MAX_STEPS));
    }
  }

  /**
   * Returns the subschema that a reference points at.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it is none of this schema
   */
  JsonNode target(JsonNode reference, SchemaPlace place) {
    JsonNode target = root.at(pointer(reference, place));
    if (target.isMissingNode()) {
      throw place.refuse("points at %.80s, which is not in the schema".formatted(reference));
    }
    return target;
  }

  JsonPointer pointer(JsonNode reference, SchemaPlace place) {
    String text = reference.isTextual() ? reference.textValue() : "";
    if (!text.equals("#") && !text.startsWith("#/")) {
      throw place.refuse(
          "is %.80s; only references into the same schema, as \"#/$defs/name\", are supported"
              .formatted(reference));
    }
    try {
      String fragment = text.substring(1).replace("+", "%2B");
      return JsonPointer.compile(URLDecoder.decode(fragment, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw place.refuse("is %.80s, which is not a reference".formatted(reference));
    }
  }
}
