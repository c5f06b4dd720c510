package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.many;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Objects of a schema: named properties in the order of the schema, then others if asked for. */
final class ObjectGrammar {
  /** The automaton follows each optional property at once. */
  private static final int MAX_PROPERTIES = 256;

  private static final Node END = text("}");

  private final SchemaCompiler compiler;
  private final References references;

  ObjectGrammar(SchemaCompiler compiler, References references) {
    this.compiler = compiler;
    this.references = references;
  }

  private record Member(Node pair, boolean required) {}

  Node node(JsonNode schema, SchemaPlace place) {
    JsonNode properties = schema.path(Keywords.PROPERTIES);
    if (!properties.isMissingNode() && !properties.isObject()) {
      throw place.at(Keywords.PROPERTIES).refuse("is not an object of schemas");
    }
    boolean free = properties.isMissingNode() && !schema.has(Keywords.ADDITIONAL);
    JsonNode additional = schema.path(Keywords.ADDITIONAL);
    Node other =
        additional.isMissingNode()
            ? (free ? JsonText.value() : Node.never())
            : compiler.value(additional, place.at(Keywords.ADDITIONAL));
    Map<String, Node> values = new LinkedHashMap<>();
    SchemaPlace at = place.at(Keywords.PROPERTIES);
    for (var property : properties.properties()) {
      values.put(property.getKey(), compiler.value(property.getValue(), at.at(property.getKey())));
    }
    Set<String> required = required(schema, place);
    required.forEach(name -> values.putIfAbsent(name, other));
    if (values.size() > MAX_PROPERTIES) {
      throw place.refuse(
          "has %d properties; %d are supported".formatted(values.size(), MAX_PROPERTIES));
    }
    List<Member> members = new ArrayList<>();
    values.forEach(
        (name, value) -> members.add(new Member(pair(name, value, at), required.contains(name))));
    return sequence(text("{"), members(members, others(values.keySet(), other, at)));
  }

  private static Set<String> required(JsonNode schema, SchemaPlace place) {
    Set<String> required = new LinkedHashSet<>();
    JsonNode names = schema.path(Keywords.REQUIRED);
    if (!names.isMissingNode() && !names.isArray()) {
      throw place.at(Keywords.REQUIRED).refuse("is not a list of names");
    }
    for (JsonNode name : names) {
      if (!name.isTextual()) {
        throw place.at(Keywords.REQUIRED).refuse("holds %.40s, not a name".formatted(name));
      }
      required.add(name.textValue());
    }
    return required;
  }

  private static Node pair(String name, Node value, SchemaPlace place) {
    byte[] key = LiteralGrammar.bytes(new TextNode(name), place);
    return JsonText.pair(new Node.Literal(key), value);
  }

  /** Returns a member with a name that is not among the given ones. */
  private Node others(Set<String> names, Node value, SchemaPlace place) {
    return JsonText.pair(new OtherKeys(references, place).node(names), value);
  }

  /**
   * Builds from the last member to the first. What follows a member depends only on whether a comma
   * is needed, so there are two chains, both as long as the object.
   */
  private static Node members(List<Member> members, Node other) {
    Node separated = sequence(JsonText.comma(), other);
    Node afterOne = sequence(many(separated), END);
    Node atStart = choice(sequence(other, many(separated), END), END);
    for (Member member : members.reversed()) {
      Node first = sequence(member.pair(), afterOne);
      Node next = sequence(JsonText.comma(), first);
      atStart = member.required() ? first : choice(first, atStart);
      afterOne = member.required() ? next : choice(next, afterOne);
    }
    return atStart;
  }
}
