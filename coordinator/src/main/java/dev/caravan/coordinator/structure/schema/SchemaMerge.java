package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Joins schemas that have to hold together into one schema. Confined to one compilation. */
final class SchemaMerge {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int MAX_DEPTH = 32;
  private static final Set<String> LARGER =
      Set.of("minimum", "exclusiveMinimum", "minLength", "minItems");
  private static final Set<String> SMALLER =
      Set.of("maximum", "exclusiveMaximum", "maxLength", "maxItems");

  private final References references;

  SchemaMerge(References references) {
    this.references = references;
  }

  /**
   * Returns a schema without reference and allOf at its top that allows the same values.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if its parts cannot be joined
   */
  ObjectNode flat(JsonNode schema, SchemaPlace place) {
    return flat(schema, place, 0);
  }

  /** Returns a schema that allows what both allow. */
  ObjectNode both(ObjectNode a, JsonNode b, SchemaPlace place) {
    ObjectNode merged = a.deepCopy();
    merge(merged, flat(b, place), place);
    return merged;
  }

  private ObjectNode flat(JsonNode schema, SchemaPlace place, int depth) {
    references.spend(place);
    if (depth > MAX_DEPTH) {
      throw place.refuse("joins schemas more than %d deep".formatted(MAX_DEPTH));
    }
    if (schema.isBoolean()) {
      ObjectNode always = JSON.objectNode();
      return schema.booleanValue() ? always : always.set(Keywords.ENUM, JSON.arrayNode());
    }
    ObjectNode flat = Keywords.effective(schema, place);
    expandNullable(flat, place);
    JsonNode reference = flat.remove(Keywords.REF);
    JsonNode all = flat.remove(Keywords.ALL_OF);
    if (reference != null) {
      SchemaPlace at = place.at(Keywords.REF);
      merge(flat, flat(references.target(reference, at), at, depth + 1), place);
    }
    if (all != null) {
      List<JsonNode> parts = Keywords.list(schema, Keywords.ALL_OF, place);
      for (int i = 0; i < parts.size(); i++) {
        SchemaPlace at = place.at(Keywords.ALL_OF, i);
        merge(flat, flat(parts.get(i), at, depth + 1), at);
      }
    }
    return flat;
  }

  private static void expandNullable(ObjectNode schema, SchemaPlace place) {
    boolean nullable = Keywords.isTrue(schema, Keywords.NULLABLE, place);
    schema.remove(Keywords.NULLABLE);
    if (!nullable) {
      return;
    }
    List<String> types =
        Keywords.types(schema, place)
            .orElseThrow(
                () -> place.at(Keywords.NULLABLE).refuse("needs a type beside it to be joined"));
    ArrayNode list = JSON.arrayNode().add("null");
    types.forEach(list::add);
    schema.set(Keywords.TYPE, list);
  }

  private void merge(ObjectNode into, ObjectNode other, SchemaPlace place) {
    mergeProperties(into, other);
    for (var field : other.properties()) {
      String keyword = field.getKey();
      JsonNode known = into.get(keyword);
      if (known == null) {
        into.set(keyword, field.getValue());
      } else if (!known.equals(field.getValue())) {
        into.set(keyword, joined(keyword, known, field.getValue(), place));
      }
    }
  }

  private static JsonNode joined(String keyword, JsonNode a, JsonNode b, SchemaPlace place) {
    if ((LARGER.contains(keyword) || SMALLER.contains(keyword))
        && !(a.isNumber() && b.isNumber())) {
      throw place.at(keyword).refuse("is not a number");
    }
    if (LARGER.contains(keyword)) {
      return a.doubleValue() >= b.doubleValue() ? a : b;
    }
    if (SMALLER.contains(keyword)) {
      return a.doubleValue() <= b.doubleValue() ? a : b;
    }
    return switch (keyword) {
      case Keywords.TYPE -> types(a, b, place);
      case Keywords.REQUIRED -> union(a, b);
      case Keywords.ENUM -> common(a, b);
      case Keywords.CONST -> throw place.at(keyword).refuse("contradicts another const");
      default ->
          throw place
              .at(keyword)
              .refuse(
                  "cannot be joined with another %s by allOf, $ref or anyOf".formatted(keyword));
    };
  }

  private static JsonNode types(JsonNode a, JsonNode b, SchemaPlace place) {
    List<String> first =
        Keywords.types(JSON.objectNode().set(Keywords.TYPE, a), place).orElseThrow();
    List<String> second =
        Keywords.types(JSON.objectNode().set(Keywords.TYPE, b), place).orElseThrow();
    Set<String> both = new TreeSet<>();
    for (String type : first) {
      if (second.contains(type) || (type.equals("integer") && second.contains("number"))) {
        both.add(type);
      }
    }
    if (second.contains("integer") && first.contains("number")) {
      both.add("integer");
    }
    ArrayNode list = JSON.arrayNode();
    both.forEach(list::add);
    return list;
  }

  private static JsonNode union(JsonNode a, JsonNode b) {
    ArrayNode union = a.deepCopy();
    b.forEach(union::add);
    return union;
  }

  private static JsonNode common(JsonNode a, JsonNode b) {
    ArrayNode common = JSON.arrayNode();
    for (JsonNode value : a) {
      for (JsonNode other : b) {
        if (LiteralGrammar.equal(value, other)) {
          common.add(value);
          break;
        }
      }
    }
    return common;
  }

  /** A property of one side has to hold what the other side says of properties it does not name. */
  private static void mergeProperties(ObjectNode into, ObjectNode other) {
    if (!Keywords.hasAny(into, Keywords.OBJECT) || !Keywords.hasAny(other, Keywords.OBJECT)) {
      return;
    }
    ObjectNode merged = JSON.objectNode();
    JsonNode first = into.path(Keywords.PROPERTIES);
    JsonNode second = other.path(Keywords.PROPERTIES);
    for (Map.Entry<String, JsonNode> property : first.properties()) {
      JsonNode twin = second.get(property.getKey());
      JsonNode also = twin == null ? other.get(Keywords.ADDITIONAL) : twin;
      merged.set(
          property.getKey(), also == null ? property.getValue() : all(property.getValue(), also));
    }
    for (Map.Entry<String, JsonNode> property : second.properties()) {
      if (!first.has(property.getKey())) {
        JsonNode also = into.get(Keywords.ADDITIONAL);
        merged.set(
            property.getKey(), also == null ? property.getValue() : all(property.getValue(), also));
      }
    }
    JsonNode additional = into.get(Keywords.ADDITIONAL);
    JsonNode otherAdditional = other.remove(Keywords.ADDITIONAL);
    other.remove(Keywords.PROPERTIES);
    if (!merged.isEmpty() || first.isObject() || second.isObject()) {
      into.set(Keywords.PROPERTIES, merged);
    }
    if (additional == null && otherAdditional != null) {
      into.set(Keywords.ADDITIONAL, otherAdditional);
    } else if (additional != null && otherAdditional != null) {
      into.set(Keywords.ADDITIONAL, all(additional, otherAdditional));
    }
  }

  private static JsonNode all(JsonNode a, JsonNode b) {
    if (a.equals(b) || isTrue(b)) {
      return a;
    }
    if (isTrue(a)) {
      return b;
    }
    if (isFalse(a) || isFalse(b)) {
      return BooleanNode.FALSE;
    }
    return JSON.objectNode().set(Keywords.ALL_OF, JSON.arrayNode().add(a).add(b));
  }

  private static boolean isTrue(JsonNode schema) {
    return schema.isBoolean() && schema.booleanValue();
  }

  private static boolean isFalse(JsonNode schema) {
    return schema.isBoolean() && !schema.booleanValue();
  }
}
