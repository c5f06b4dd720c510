package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.structure.grammar.Node;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Values that are given: enum and const. */
final class LiteralGrammar {
  private static final int MAX_VALUES = 2000;
  private static final int MAX_BYTES = 4096;

  private LiteralGrammar() {}

  /** Returns the given values that also have one of the types, if a schema gives values. */
  static Optional<List<JsonNode>> values(JsonNode schema, SchemaPlace place) {
    Optional<List<JsonNode>> values = given(schema, place);
    Optional<List<String>> types = Keywords.types(schema, place);
    if (values.isEmpty() || types.isEmpty()) {
      return values;
    }
    return Optional.of(
        values.get().stream()
            .filter(value -> types.get().stream().anyMatch(type -> hasType(value, type)))
            .toList());
  }

  private static Optional<List<JsonNode>> given(JsonNode schema, SchemaPlace place) {
    if (!schema.has(Keywords.ENUM)) {
      return schema.has(Keywords.CONST)
          ? Optional.of(List.of(schema.get(Keywords.CONST)))
          : Optional.empty();
    }
    JsonNode list = schema.get(Keywords.ENUM);
    if (!list.isArray() || list.size() > MAX_VALUES) {
      throw place
          .at(Keywords.ENUM)
          .refuse("has to be a list of at most %d values".formatted(MAX_VALUES));
    }
    List<JsonNode> values = new ArrayList<>();
    for (JsonNode value : list) {
      if (!schema.has(Keywords.CONST) || equal(value, schema.get(Keywords.CONST))) {
        values.add(value);
      }
    }
    return Optional.of(values);
  }

  static boolean hasType(JsonNode value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "number" -> value.isNumber();
      case "integer" -> value.isNumber() && value.doubleValue() % 1 == 0;
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  /** Returns true if two values are the same for JSON schema: 1 and 1.0 are. */
  static boolean equal(JsonNode a, JsonNode b) {
    return a.equals(b)
        || (a.isNumber()
            && b.isNumber()
            && Double.isFinite(a.doubleValue())
            && Double.isFinite(b.doubleValue())
            && a.decimalValue().compareTo(b.decimalValue()) == 0);
  }

  /** Returns the grammar of the values: common beginnings are written once. */
  static Node node(List<JsonNode> values, SchemaPlace place) {
    List<byte[]> texts = new ArrayList<>();
    for (JsonNode value : values) {
      texts.add(bytes(value, place));
    }
    texts.sort(Arrays::compareUnsigned);
    return node(texts, 0);
  }

  /** Texts that are equal up to a place. */
  private static Node node(List<byte[]> texts, int from) {
    if (texts.isEmpty()) {
      return Node.never();
    }
    byte[] first = texts.getFirst();
    int common = Arrays.mismatch(first, texts.getLast());
    int to = common < 0 ? first.length : common;
    Node prefix = to == from ? Node.empty() : new Node.Literal(Arrays.copyOfRange(first, from, to));
    Map<Byte, List<byte[]>> longer = new TreeMap<>();
    boolean ends = false;
    for (byte[] text : texts) {
      if (text.length == to) {
        ends = true;
      } else {
        longer.computeIfAbsent(text[to], _ -> new ArrayList<>()).add(text);
      }
    }
    List<Node> rest = new ArrayList<>();
    longer.values().forEach(group -> rest.add(node(group, to)));
    if (ends) {
      rest.add(Node.empty());
    }
    return Node.sequence(prefix, Node.choice(rest));
  }

  /** Returns a value as compact JSON. */
  static byte[] bytes(JsonNode value, SchemaPlace place) {
    String text = value.toString();
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (!new String(bytes, StandardCharsets.UTF_8).equals(text)) {
      throw place.refuse("holds half of a surrogate pair");
    }
    if (value.isNumber() && !Double.isFinite(value.doubleValue())) {
      throw place.refuse("holds a number that is too large");
    }
    if (bytes.length > MAX_BYTES) {
      throw place.refuse(
          "holds a text of %d bytes; %d are supported".formatted(bytes.length, MAX_BYTES));
    }
    return bytes;
  }
}
