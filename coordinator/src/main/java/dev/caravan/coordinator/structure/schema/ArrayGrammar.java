package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayList;
import java.util.List;

/** Arrays of a schema: first elements with schemas of their own, then elements that are alike. */
final class ArrayGrammar {
  private static final Node END = text("]");

  private final SchemaCompiler compiler;

  ArrayGrammar(SchemaCompiler compiler) {
    this.compiler = compiler;
  }

  Node node(JsonNode schema, SchemaPlace place) {
    int min = Keywords.count(schema, "minItems", 0, place);
    int max = Keywords.count(schema, "maxItems", Node.UNBOUNDED, place);
    if (max != Node.UNBOUNDED && max < min) {
      return Node.never();
    }
    List<Node> first = first(schema, place);
    Node others =
        schema.has("items")
            ? compiler.value(schema.get("items"), place.at("items"))
            : JsonText.value();
    return sequence(text("["), elements(first, others, min, max));
  }

  private List<Node> first(JsonNode schema, SchemaPlace place) {
    List<Node> first = new ArrayList<>();
    if (schema.has("prefixItems")) {
      for (JsonNode item : Keywords.list(schema, "prefixItems", place)) {
        first.add(compiler.value(item, place.at("prefixItems", first.size())));
      }
    }
    return first;
  }

  /** Builds from the last element to the first: what follows an element does not depend on it. */
  private static Node elements(List<Node> first, Node others, int min, int max) {
    int prefix = first.size();
    int most = max == Node.UNBOUNDED ? Node.UNBOUNDED : Math.max(0, max - Math.max(prefix, 1));
    int least = Math.max(0, min - Math.max(prefix, 1));
    Node tail = sequence(new Node.Repeat(sequence(JsonText.comma(), others), least, most), END);
    for (int count = prefix; count > 1; count--) {
      tail = element(sequence(JsonText.comma(), first.get(count - 1)), tail, count, min, max);
    }
    return element(prefix == 0 ? others : first.getFirst(), tail, 1, min, max);
  }

  /** The element that makes it so many, or the end. */
  private static Node element(Node element, Node tail, int count, int min, int max) {
    if (max != Node.UNBOUNDED && count > max) {
      return END;
    }
    Node more = sequence(element, tail);
    return min >= count ? more : choice(more, END);
  }
}
