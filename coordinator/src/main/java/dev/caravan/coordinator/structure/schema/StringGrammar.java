package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.structure.grammar.Node;
import java.util.Map;

/** Strings of a schema: length, pattern, format. */
final class StringGrammar {
  private static final int MAX_LENGTH = 1_000_000;

  private static final String DATE =
      "((\\d{4})-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)"
          + "|02-(0[1-9]|1\\d|2[0-8]))"
          + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
  private static final String TIME =
      "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-](0\\d|1[0-4]):[0-5]\\d)";
  private static final String OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
          "ipv4",
          OCTET + "(\\." + OCTET + "){3}",
          "email",
          "[a-zA-Z0-9][a-zA-Z0-9_+-]{0,24}(\\.[a-zA-Z0-9_+-]{1,16}){0,2}"
              + "@([a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?\\.){1,4}[a-zA-Z]{2,8}");

  private StringGrammar() {}

  static Node node(JsonNode schema, SchemaPlace place) {
    boolean counted = schema.has("minLength") || schema.has("maxLength");
    if (schema.has("pattern") || schema.has("format")) {
      if (counted || (schema.has("pattern") && schema.has("format"))) {
        throw place.refuse(
            "has more than one of pattern, format and a length; only one of them is supported");
      }
      return sequence(text("\""), inside(schema, place), text("\""));
    }
    int min = Keywords.count(schema, "minLength", 0, place);
    int max = Keywords.count(schema, "maxLength", Node.UNBOUNDED, place);
    if (min > MAX_LENGTH) {
      throw place
          .at("minLength")
          .refuse("is %d; at most %d is supported".formatted(min, MAX_LENGTH));
    }
    return max != Node.UNBOUNDED && max < min ? Node.never() : JsonText.string(min, max);
  }

  private static Node inside(JsonNode schema, SchemaPlace place) {
    if (schema.has("pattern")) {
      SchemaPlace at = place.at("pattern");
      if (!schema.get("pattern").isTextual()) {
        throw at.refuse("is not a regular expression");
      }
      return Pattern.compile(schema.get("pattern").textValue(), at);
    }
    SchemaPlace at = place.at("format");
    String pattern = FORMATS.get(schema.get("format").asText());
    if (pattern == null) {
      throw at.refuse(
          "is %.40s; supported are date, time, date-time, uuid, ipv4 and email"
              .formatted(schema.get("format")));
    }
    return Pattern.compile("^(" + pattern + ")$", at);
  }
}
