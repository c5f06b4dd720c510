package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The keywords of JSON schema that are known here, and how their values are read. */
final class Keywords {
  static final String ALL_OF = "allOf";
  static final String ANY_OF = "anyOf";
  static final String ONE_OF = "oneOf";
  static final String ENUM = "enum";
  static final String CONST = "const";
  static final String REF = "$ref";
  static final String TYPE = "type";
  static final String NULLABLE = "nullable";
  static final String PROPERTIES = "properties";
  static final String REQUIRED = "required";
  static final String ADDITIONAL = "additionalProperties";

  static final Set<String> OBJECT = Set.of(PROPERTIES, REQUIRED, ADDITIONAL);
  static final Set<String> ARRAY = Set.of("items", "prefixItems", "minItems", "maxItems");
  static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern", "format");
  static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
  private static final Set<String> GENERAL =
      Set.of(ALL_OF, ANY_OF, ONE_OF, ENUM, CONST, REF, TYPE, NULLABLE);

  /** They say nothing about what is valid. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "example",
          "examples",
          "$comment",
          "$schema",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");

  private Keywords() {}

  /**
   * Returns a copy of a schema without annotations.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST that names the first keyword
   *     that is not supported
   */
  static ObjectNode effective(JsonNode schema, SchemaPlace place) {
    if (!schema.isObject()) {
      throw place.refuse("is a JSON %s, not a schema".formatted(schema.getNodeType()));
    }
    ObjectNode effective = ((ObjectNode) schema).objectNode();
    for (var field : schema.properties()) {
      String name = field.getKey();
      if (isKnown(name)) {
        effective.set(name, field.getValue());
      } else if (!isAnnotation(name, place)) {
        throw place.at(name).refuse("is a keyword that is not supported; leave it out");
      }
    }
    return effective;
  }

  private static boolean isKnown(String name) {
    return GENERAL.contains(name)
        || OBJECT.contains(name)
        || ARRAY.contains(name)
        || STRING.contains(name)
        || NUMBER.contains(name);
  }

  /** An id changes what references mean, but not at the top. */
  private static boolean isAnnotation(String name, SchemaPlace place) {
    return ANNOTATIONS.contains(name) || (name.equals("$id") && place.parent() == null);
  }

  static boolean hasAny(JsonNode schema, Set<String> keywords) {
    return keywords.stream().anyMatch(schema::has);
  }

  /** Returns the types that a schema states; nothing if it states none. */
  static Optional<List<String>> types(JsonNode schema, SchemaPlace place) {
    JsonNode type = schema.path(TYPE);
    if (type.isMissingNode()) {
      return Optional.empty();
    }
    List<String> types = new ArrayList<>();
    for (JsonNode name : type.isArray() ? type : List.of(type)) {
      types.add(typeName(name, place));
    }
    return Optional.of(types);
  }

  private static String typeName(JsonNode name, SchemaPlace place) {
    return switch (name.isTextual() ? name.textValue() : "") {
      case "object", "array", "string", "number", "integer", "boolean", "null" -> name.textValue();
      default ->
          throw place
              .at(TYPE)
              .refuse(
                  "names %.40s; it has to be object, array, string, number, integer, boolean or null"
                      .formatted(name));
    };
  }

  /** Returns the subschemas of anyOf, oneOf or allOf. */
  static List<JsonNode> list(JsonNode schema, String keyword, SchemaPlace place) {
    JsonNode list = schema.path(keyword);
    if (!list.isArray() || list.isEmpty()) {
      throw place.at(keyword).refuse("has to be a list of at least one entry");
    }
    List<JsonNode> entries = new ArrayList<>();
    list.forEach(entries::add);
    return entries;
  }

  /** Returns a count such as minItems. */
  static int count(JsonNode schema, String keyword, int otherwise, SchemaPlace place) {
    JsonNode count = schema.path(keyword);
    if (count.isMissingNode()) {
      return otherwise;
    }
    if (!count.isIntegralNumber() || !count.canConvertToInt() || count.intValue() < 0) {
      throw place.at(keyword).refuse("is %.40s, not a count".formatted(count));
    }
    return count.intValue();
  }

  static boolean isTrue(JsonNode schema, String keyword, SchemaPlace place) {
    JsonNode value = schema.path(keyword);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw place.at(keyword).refuse("is %.40s, not true or false".formatted(value));
    }
    return value.booleanValue();
  }
}
