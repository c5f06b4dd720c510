package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compiles a JSON schema (2020-12) to a grammar of the texts that it allows. Confined to one
 * compilation.
 *
 * <p>A schema without a type is of the type that its other keywords are about. Properties that are
 * not named are written only where additionalProperties asks for them, or where no property is
 * named at all. Keywords that are not supported are refused, never ignored.
 */
public final class SchemaCompiler {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_JSON_DEPTH = 200;

  private final References references;
  private final SchemaMerge merge;
  private final Map<JsonPointer, Node.Rule> rules = new HashMap<>();
  private final Deque<Pending> pending = new ArrayDeque<>();
  private int depth;

  private record Pending(Node.Rule rule, JsonNode schema, SchemaPlace place) {}

  private SchemaCompiler(JsonNode root) {
    this.references = new References(root);
    this.merge = new SchemaMerge(references);
  }

  /**
   * Returns the grammar of a schema.
   *
   * @param place of the schema in the request, for errors
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST that names what is wrong or
   *     not supported, and where
   */
  public static Node compile(JsonNode schema, SchemaPlace place) {
    checkDepth(schema, MAX_JSON_DEPTH, place);
    SchemaCompiler compiler = new SchemaCompiler(schema);
    Node root = compiler.rule(JsonPointer.empty(), schema, place);
    while (!compiler.pending.isEmpty()) {
      Pending next = compiler.pending.pop();
      next.rule.define(compiler.value(next.schema, next.place));
    }
    if (HeadCycles.exist(root)) {
      throw place.refuse("has a $ref that leads back to itself without a property or item between");
    }
    return root;
  }

  private static void checkDepth(JsonNode node, int left, SchemaPlace place) {
    if (left == 0) {
      throw place.refuse("nests deeper than %d".formatted(MAX_JSON_DEPTH));
    }
    node.forEach(child -> checkDepth(child, left - 1, place));
  }

  private Node rule(JsonPointer pointer, JsonNode schema, SchemaPlace place) {
    Node.Rule known = rules.get(pointer);
    if (known != null) {
      return known;
    }
    Node.Rule rule = new Node.Rule();
    rules.put(pointer, rule);
    pending.add(new Pending(rule, schema, place));
    return rule;
  }

  /** Returns the grammar of a subschema. */
  Node value(JsonNode schema, SchemaPlace place) {
    references.spend(place);
    if (schema.isBoolean()) {
      return schema.booleanValue() ? JsonText.value() : Node.never();
    }
    depth++;
    if (depth > MAX_DEPTH) {
      throw place.refuse("nests schemas deeper than %d".formatted(MAX_DEPTH));
    }
    ObjectNode own = Keywords.effective(schema, place);
    boolean nullable = Keywords.isTrue(own, Keywords.NULLABLE, place);
    own.remove(Keywords.NULLABLE);
    Node node = notNull(own, place);
    depth--;
    return nullable ? Node.choice(node, JsonText.NULL) : node;
  }

  private Node notNull(ObjectNode own, SchemaPlace place) {
    if (own.has(Keywords.REF) && own.size() == 1) {
      SchemaPlace at = place.at(Keywords.REF);
      JsonNode reference = own.get(Keywords.REF);
      return rule(
          references.pointer(reference, at),
          references.target(reference, at),
          SchemaPlace.of(reference.asText()));
    }
    if (own.has(Keywords.REF) || own.has(Keywords.ALL_OF)) {
      return notNull(merge.flat(own, place), place);
    }
    if (own.has(Keywords.ANY_OF) && own.has(Keywords.ONE_OF)) {
      throw place.refuse("has anyOf beside oneOf; only one of them is supported");
    }
    if (own.has(Keywords.ANY_OF)) {
      return alternatives(own, Keywords.ANY_OF, place);
    }
    if (own.has(Keywords.ONE_OF)) {
      new Exclusion(merge).check(Keywords.list(own, Keywords.ONE_OF, place), place);
      return alternatives(own, Keywords.ONE_OF, place);
    }
    return plain(own, place);
  }

  private Node alternatives(ObjectNode own, String keyword, SchemaPlace place) {
    List<JsonNode> branches = Keywords.list(own, keyword, place);
    own.remove(keyword);
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < branches.size(); i++) {
      SchemaPlace at = place.at(keyword, i);
      nodes.add(
          own.isEmpty()
              ? value(branches.get(i), at)
              : value(merge.both(own, branches.get(i), at), at));
    }
    return Node.choice(nodes);
  }

  private Node plain(ObjectNode own, SchemaPlace place) {
    var values = LiteralGrammar.values(own, place);
    if (values.isPresent()) {
      for (var keyword : own.properties()) {
        switch (keyword.getKey()) {
          case Keywords.ENUM, Keywords.CONST, Keywords.TYPE -> {}
          default ->
              throw place
                  .at(keyword.getKey())
                  .refuse("beside enum or const is not supported; leave out values instead");
        }
      }
      return LiteralGrammar.node(values.get(), place);
    }
    List<Node> nodes = new ArrayList<>();
    for (String type : types(own, place)) {
      nodes.add(ofType(type, own, place));
    }
    return nodes.isEmpty() && !own.has(Keywords.TYPE) ? JsonText.value() : Node.choice(nodes);
  }

  /** Returns the types that are stated, else those that the keywords are about; none for any. */
  private static List<String> types(ObjectNode own, SchemaPlace place) {
    return Keywords.types(own, place)
        .orElseGet(() -> {
          List<String> types = new ArrayList<>();
          if (Keywords.hasAny(own, Keywords.OBJECT)) {
            types.add("object");
          }
          if (Keywords.hasAny(own, Keywords.ARRAY)) {
            types.add("array");
          }
          if (Keywords.hasAny(own, Keywords.STRING)) {
            types.add("string");
          }
          if (Keywords.hasAny(own, Keywords.NUMBER)) {
            types.add("number");
          }
          return types;
        });
  }

  private Node ofType(String type, ObjectNode own, SchemaPlace place) {
    return switch (type) {
      case "object" -> new ObjectGrammar(this, references).node(own, place);
      case "array" -> new ArrayGrammar(this).node(own, place);
      case "string" -> StringGrammar.node(own, place);
      case "integer" -> NumberGrammar.integer(own, place);
      case "number" -> NumberGrammar.number(own, place);
      case "boolean" -> JsonText.BOOLEAN;
      default -> JsonText.NULL;
    };
  }
}
