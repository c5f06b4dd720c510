package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import dev.caravan.coordinator.structure.grammar.ByteSet;
import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayList;
import java.util.List;

/** The integers from first to last, both included, as JSON spells them. */
record IntegerRange(long first, long last) {
  /** Largest integer that is ever written. */
  static final long LARGEST = 999_999_999_999_999L;

  boolean isEmpty() {
    return first > last;
  }

  /** Returns the part of the range that is not negative. */
  IntegerRange notNegative() {
    return new IntegerRange(Math.max(first, 0), last);
  }

  /** Returns the negative part of the range without its signs. */
  IntegerRange mirrored() {
    return new IntegerRange(Math.max(1, -last), -first);
  }

  Node node() {
    List<Node> alternatives = new ArrayList<>();
    addDigits(notNegative(), alternatives);
    List<Node> negative = new ArrayList<>();
    addDigits(mirrored(), negative);
    if (!negative.isEmpty()) {
      alternatives.add(sequence(text("-"), choice(negative)));
    }
    return choice(alternatives);
  }

  private static void addDigits(IntegerRange range, List<Node> alternatives) {
    long shortest = 0;
    for (long longest = 9; shortest <= range.last; longest = longest * 10 + 9) {
      long from = Math.max(range.first, shortest);
      long to = Math.min(range.last, longest);
      if (from <= to) {
        alternatives.add(between(Long.toString(from), Long.toString(to)));
      }
      shortest = longest + 1;
    }
  }

  /** Numbers of the same length. */
  private static Node between(String from, String to) {
    int rest = from.length() - 1;
    if (from.isEmpty()) {
      return Node.empty();
    }
    if (from.equals("0".repeat(from.length())) && to.equals("9".repeat(to.length()))) {
      return digits(from.length());
    }
    char low = from.charAt(0);
    char high = to.charAt(0);
    if (low == high) {
      return sequence(text(String.valueOf(low)), between(from.substring(1), to.substring(1)));
    }
    List<Node> alternatives = new ArrayList<>();
    alternatives.add(
        sequence(text(String.valueOf(low)), between(from.substring(1), "9".repeat(rest))));
    if (low + 1 < high) {
      alternatives.add(sequence(new Node.Bytes(ByteSet.range(low + 1, high - 1)), digits(rest)));
    }
    alternatives.add(
        sequence(text(String.valueOf(high)), between("0".repeat(rest), to.substring(1))));
    return choice(alternatives);
  }

  private static Node digits(int count) {
    return new Node.Repeat(JsonText.DIGIT, count, count);
  }
}
