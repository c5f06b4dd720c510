package dev.caravan.coordinator.structure.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * An expression over bytes. Nodes are told apart by identity: a grammar may share them, and a
 * {@link Rule} may contain itself.
 */
public sealed interface Node {

  /** Count of a repetition without an upper end. */
  int UNBOUNDED = -1;

  /** Matches one byte of a set. */
  record Bytes(ByteSet set) implements Node {}

  /**
   * Matches exactly these bytes.
   *
   * @param bytes at least one
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Literal(byte[] bytes) implements Node {
    public Literal {
      if (bytes.length == 0) {
        throw new IllegalArgumentException("an empty literal; take Node.empty()");
      }
      bytes = bytes.clone();
    }

    int length() {
      return bytes.length;
    }

    int at(int index) {
      return bytes[index] & 0xFF;
    }
  }

  /** Matches all parts, one after the other. */
  record Sequence(List<Node> parts) implements Node {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** Matches one of the alternatives. */
  record Choice(List<Node> alternatives) implements Node {
    public Choice {
      alternatives = List.copyOf(alternatives);
    }
  }

  /**
   * Matches a body several times.
   *
   * @param body never matches the empty text
   * @param min fewest times
   * @param max most times, or UNBOUNDED
   */
  record Repeat(Node body, int min, int max) implements Node {
    public Repeat {
      if (min < 0 || (max != UNBOUNDED && max < min)) {
        throw new IllegalArgumentException("repeats %d to %d times".formatted(min, max));
      }
    }

    boolean mayRepeat(int count) {
      return max == UNBOUNDED || count < max;
    }
  }

  /** Matches its body, one level deeper: what may contain itself. */
  final class Rule implements Node {
    private Node body = never();

    /** Completes the rule; before that it matches nothing. */
    public void define(Node definition) {
      body = definition;
    }

    Node body() {
      return body;
    }
  }

  /** Returns the nodes that this one is made of. */
  default List<Node> children() {
    return switch (this) {
      case Bytes _, Literal _ -> List.of();
      case Sequence sequence -> sequence.parts();
      case Choice choice -> choice.alternatives();
      case Repeat repeat -> List.of(repeat.body());
      case Rule rule -> List.of(rule.body());
    };
  }

  /** Matches nothing but the empty text. */
  static Node empty() {
    return new Sequence(List.of());
  }

  /** Matches no text at all. */
  static Node never() {
    return new Choice(List.of());
  }

  static Node text(String text) {
    return text.isEmpty() ? empty() : new Literal(text.getBytes(StandardCharsets.UTF_8));
  }

  static Node sequence(Node... parts) {
    return parts.length == 1 ? parts[0] : new Sequence(Arrays.asList(parts));
  }

  static Node choice(Node... alternatives) {
    return alternatives.length == 1 ? alternatives[0] : new Choice(Arrays.asList(alternatives));
  }

  static Node choice(List<Node> alternatives) {
    return alternatives.size() == 1 ? alternatives.getFirst() : new Choice(alternatives);
  }

  static Node optional(Node node) {
    return choice(node, empty());
  }

  static Node many(Node body) {
    return new Repeat(body, 0, UNBOUNDED);
  }

  static Node bytes(String ascii) {
    return new Bytes(ByteSet.of(ascii));
  }
}
