package dev.caravan.coordinator.structure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.util.List;
import java.util.Random;

/** Random schemas of all that is supported, and an independent judge of what satisfies them. */
final class Schemas {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_DEPTH = 3;
  private static final List<String> NAMES =
      List.of("name", "kind", "ab", "abc", "a\"b", "é", "日本", "x", "", "n1");
  private static final List<String> PATTERNS =
      List.of(
          "^[a-z]{1,8}$",
          "^(ab|a)*c?$",
          "^\\d{3}-\\d{4}$",
          "^[^\"\\\\]{2,5}$",
          "^\\S+@\\S+$",
          "[a-z]{2}",
          "^a|b$",
          "^[\\w.+-]+$",
          "^(?:[A-F0-9]{2}:){2}[A-F0-9]{2}$",
          "^.{0,3}$",
          "^[日本é]+$",
          "^\\s?\\w\\W\\D$");

  /** Not email: the judge knows all top-level domains and wants one of those. */
  private static final List<String> FORMATS = List.of("date", "time", "date-time", "uuid", "ipv4");

  private final Random random;

  Schemas(Random random) {
    this.random = random;
  }

  /** Returns what is wrong, empty if the text is JSON that satisfies the schema. */
  static String judge(JsonNode schema, String text) {
    JsonNode value;
    try {
      value = JSON.readTree(text);
    } catch (java.io.IOException e) {
      return e.toString();
    }
    SchemaValidatorsConfig config =
        SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
    var problems =
        JsonSchemaFactory.getInstance(VersionFlag.V202012)
            .getSchema(schema, config)
            .validate(value);
    return problems.isEmpty() ? "" : problems.toString();
  }

  static JsonNode parse(String json) {
    try {
      return JSON.readTree(json.replace('\'', '"'));
    } catch (java.io.IOException e) {
      throw new AssertionError(json, e);
    }
  }

  /** A whole schema; some contain themselves. */
  ObjectNode root() {
    ObjectNode root = object(0);
    ObjectNode definitions = root.putObject("$defs");
    definitions.set("leaf", value(MAX_DEPTH));
    ObjectNode tree = definitions.putObject("tree").put("type", "object");
    tree.put("additionalProperties", false);
    tree.putObject("properties").putObject("value").put("type", "integer");
    ObjectNode children = ((ObjectNode) tree.get("properties")).putObject("children");
    children.put("type", "array").put("maxItems", 2).putObject("items").put("$ref", "#/$defs/tree");
    tree.putArray("required").add("value");
    return root;
  }

  private ObjectNode value(int depth) {
    ObjectNode schema = JSON.createObjectNode();
    switch (random.nextInt(depth < MAX_DEPTH ? 15 : 9)) {
      case 0 -> string(schema);
      case 1 -> integer(schema);
      case 2 -> number(schema);
      case 3 -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
      case 4 -> literals(schema);
      case 5 -> schema.put("type", "string").put("pattern", pick(PATTERNS));
      case 6 -> schema.put("type", "string").put("format", pick(FORMATS));
      case 7 -> schema.putArray("type").add("integer").add("null").add("boolean");
      case 8 -> schema.put("const", random.nextBoolean() ? "ab\"\\\n é" : "");
      case 9 -> array(schema, depth);
      case 10 -> alternatives(schema, depth);
      case 11 -> schema.put("$ref", random.nextBoolean() ? "#/$defs/leaf" : "#/$defs/tree");
      case 12 -> joined(schema, depth);
      default -> {
        return object(depth + 1);
      }
    }
    return schema;
  }

  private ObjectNode object(int depth) {
    ObjectNode schema = JSON.createObjectNode().put("type", "object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (String name : NAMES) {
      if (random.nextInt(3) == 0) {
        properties.set(name, value(depth + 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    switch (random.nextInt(4)) {
      case 0 -> schema.set("additionalProperties", value(MAX_DEPTH));
      case 1 -> schema.put("additionalProperties", false);
      default -> {}
    }
    return schema;
  }

  private void string(ObjectNode schema) {
    schema.put("type", "string");
    int min = random.nextInt(5);
    if (random.nextBoolean()) {
      schema.put("minLength", min);
    }
    if (random.nextBoolean()) {
      schema.put("maxLength", min + random.nextInt(100));
    }
  }

  private void integer(ObjectNode schema) {
    schema.put("type", "integer");
    int low = random.nextInt(2000) - 1000;
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
    }
    if (random.nextBoolean()) {
      schema.put(
          random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + 2 + random.nextInt(99));
    }
  }

  private void number(ObjectNode schema) {
    integer(schema);
    schema.put("type", "number");
  }

  private void literals(ObjectNode schema) {
    ArrayNode values = schema.putArray("enum");
    values.add("abc").add("abd").add("a").add(12).add(1.5).add(true).addNull();
    values.addObject().put("a", 1).putArray("b").add("日");
    if (random.nextBoolean()) {
      schema.put("type", "string");
    }
  }

  private void array(ObjectNode schema, int depth) {
    schema.put("type", "array");
    int min = random.nextInt(3);
    if (random.nextBoolean()) {
      schema.put("minItems", min);
    }
    schema.put("maxItems", min + random.nextInt(4));
    if (random.nextBoolean()) {
      schema.set("items", value(depth + 1));
    }
    if (random.nextInt(3) == 0) {
      schema.putArray("prefixItems").add(value(MAX_DEPTH)).add(value(MAX_DEPTH));
    }
  }

  private void alternatives(ObjectNode schema, int depth) {
    if (random.nextBoolean()) {
      schema.putArray("anyOf").add(value(depth + 1)).add(value(depth + 1)).add(value(depth + 1));
      return;
    }
    ArrayNode branches = schema.putArray("oneOf");
    for (String kind : List.of("car", "cart", "van")) {
      ObjectNode branch = object(depth + 1);
      ((ObjectNode) branch.get("properties")).putObject("kind").put("const", kind);
      ((ArrayNode) branch.get("required")).removeAll().add("kind");
      branches.add(branch);
    }
  }

  private void joined(ObjectNode schema, int depth) {
    ObjectNode other = JSON.createObjectNode().put("type", "object");
    other.putObject("properties").putObject("joined").put("type", "boolean");
    other.putArray("required").add("joined");
    ObjectNode one = object(depth + 1);
    one.remove("additionalProperties");
    schema.putArray("allOf").add(one).add(other);
  }

  private String pick(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }
}
