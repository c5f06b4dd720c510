package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.sequence;

import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A regular expression of a schema as the inside of a JSON string. Confined to one thread.
 *
 * <p>The part of ECMA-262 that describes regular languages: characters, escapes, classes, groups,
 * alternatives, counts; the anchors at the ends of the whole expression or of its alternatives.
 * Refused are references, look-around, word boundaries and properties.
 */
final class Pattern {
  private static final int MAX_LENGTH = 2000;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_COUNT = 100_000;

  private final String source;
  private final SchemaPlace place;
  private int at;
  private int depth;

  private Pattern(String source, SchemaPlace place) {
    this.source = source;
    this.place = place;
  }

  /** An expression, and whether it matches the empty text. */
  private record Part(Node node, boolean nullable) {}

  /**
   * Returns the text between the quotes of a string that matches.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it is malformed or uses
   *     what is not supported
   */
  static Node compile(String source, SchemaPlace place) {
    if (source.length() > MAX_LENGTH) {
      throw place.refuse(
          "is a regular expression of %d characters; %d are supported"
              .formatted(source.length(), MAX_LENGTH));
    }
    return new Pattern(source, place).whole();
  }

  private Node whole() {
    List<Node> alternatives = new ArrayList<>();
    do {
      boolean fromStart = skip('^');
      Node body = alternative().node();
      boolean toEnd = skip('$');
      Node anything = Node.many(JsonText.CHARACTER);
      alternatives.add(
          sequence(fromStart ? Node.empty() : anything, body, toEnd ? Node.empty() : anything));
    } while (skip('|'));
    if (at < source.length()) {
      throw unexpected();
    }
    return Node.choice(alternatives);
  }

  private Part group() {
    List<Node> alternatives = new ArrayList<>();
    boolean nullable = false;
    do {
      Part part = alternative();
      alternatives.add(part.node());
      nullable |= part.nullable();
    } while (skip('|'));
    return new Part(Node.choice(alternatives), nullable);
  }

  private Part alternative() {
    List<Node> parts = new ArrayList<>();
    boolean nullable = true;
    while (at < source.length() && "|)$".indexOf(source.charAt(at)) < 0) {
      Part part = counted(atom());
      parts.add(part.node());
      nullable &= part.nullable();
    }
    return new Part(new Node.Sequence(parts), nullable);
  }

  private Part atom() {
    if (skip('(')) {
      if (skip('?') && !skip(':')) {
        throw refuse("look-around, names and flags of groups are not supported");
      }
      depth++;
      if (depth > MAX_DEPTH) {
        throw refuse("groups nest deeper than %d".formatted(MAX_DEPTH));
      }
      Part group = group();
      depth--;
      if (!skip(')')) {
        throw at < source.length() ? unexpected() : refuse("a group is not closed");
      }
      return group;
    }
    CharacterClass reader = new CharacterClass(source, at, place);
    BitSet characters = reader.read();
    at = reader.end();
    return new Part(Characters.of(characters), false);
  }

  private Part counted(Part part) {
    int min;
    int max;
    if (skip('*')) {
      min = 0;
      max = Node.UNBOUNDED;
    } else if (skip('+')) {
      min = 1;
      max = Node.UNBOUNDED;
    } else if (skip('?')) {
      min = 0;
      max = 1;
    } else if (at < source.length() && source.charAt(at) == '{') {
      at++;
      min = number();
      max = skip(',') ? (peek('}') ? Node.UNBOUNDED : number()) : min;
      if (!skip('}') || (max != Node.UNBOUNDED && max < min)) {
        throw refuse("a count is not as {2}, {2,} or {2,5}");
      }
    } else {
      return part;
    }
    skip('?'); // a lazy count matches the same texts
    if (!part.nullable()) {
      return new Part(new Node.Repeat(part.node(), min, max), min == 0);
    }
    if (max != 1) {
      throw refuse("something that may be empty is repeated");
    }
    return new Part(Node.optional(part.node()), true);
  }

  private int number() {
    int from = at;
    while (at < source.length() && Character.digit(source.charAt(at), 10) >= 0) {
      at++;
    }
    if (at == from || at - from > 6 || Integer.parseInt(source, from, at, 10) > MAX_COUNT) {
      throw refuse("a count has to be 0 to %d".formatted(MAX_COUNT));
    }
    return Integer.parseInt(source, from, at, 10);
  }

  private boolean peek(char expected) {
    return at < source.length() && source.charAt(at) == expected;
  }

  private boolean skip(char expected) {
    boolean found = peek(expected);
    if (found) {
      at++;
    }
    return found;
  }

  private RuntimeException unexpected() {
    return refuse("\"%c\" is not supported there".formatted(source.charAt(at)));
  }

  private RuntimeException refuse(String why) {
    return place.refuse("at character %d: %s".formatted(at, why));
  }
}
