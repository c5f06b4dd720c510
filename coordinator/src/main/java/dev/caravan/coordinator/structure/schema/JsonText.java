package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.bytes;
import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.many;
import static dev.caravan.coordinator.structure.grammar.Node.optional;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import dev.caravan.coordinator.structure.grammar.Node;

/** The grammar of JSON text, without any schema. */
public final class JsonText {
  /** So many digits are exact in a double. */
  static final int MAX_DIGITS = 15;

  /** At most one: so no model can go on writing spaces for ever. */
  static final Node SPACE = optional(text(" "));

  static final Node DIGIT = bytes("0123456789");

  private static final String HEX = "0123456789abcdefABCDEF";

  /** A character without a backslash. */
  static final Node PLAIN_CHARACTER = Characters.of(Characters.plain());

  /** A character of a string, as JSON may spell it; never half of a surrogate pair. */
  static final Node CHARACTER = choice(PLAIN_CHARACTER, escape());

  static final Node STRING = string(0, Node.UNBOUNDED);

  /** A number without a sign. */
  static final Node FRACTION = sequence(text("."), new Node.Repeat(DIGIT, 1, MAX_DIGITS));

  static final Node INTEGER = choice(text("0"), sequence(optional(text("-")), positive()));

  static final Node NUMBER =
      sequence(
          optional(text("-")),
          choice(text("0"), positive()),
          optional(FRACTION),
          optional(sequence(bytes("eE"), optional(bytes("+-")), new Node.Repeat(DIGIT, 1, 2))));

  static final Node BOOLEAN = choice(text("true"), text("false"));
  static final Node NULL = text("null");

  private static final Node.Rule ANY = new Node.Rule();

  static {
    ANY.define(choice(object(), array(), STRING, NUMBER, BOOLEAN, NULL));
  }

  private JsonText() {}

  /** At most one space. */
  public static Node space() {
    return SPACE;
  }

  /** Any value. */
  static Node value() {
    return ANY;
  }

  /** Any object. */
  public static Node object() {
    Node pair = pair(STRING, ANY);
    return sequence(text("{"), optional(list(pair)), text("}"));
  }

  /** Any array. */
  static Node array() {
    return sequence(text("["), optional(list(ANY)), text("]"));
  }

  /** A string of so many characters. */
  static Node string(int min, int max) {
    return sequence(text("\""), new Node.Repeat(CHARACTER, min, max), text("\""));
  }

  static Node pair(Node key, Node value) {
    return sequence(key, text(":"), SPACE, value);
  }

  /** What separates members and elements. */
  static Node comma() {
    return sequence(text(","), SPACE);
  }

  private static Node list(Node element) {
    return sequence(element, many(sequence(comma(), element)));
  }

  private static Node positive() {
    return sequence(bytes("123456789"), new Node.Repeat(DIGIT, 0, MAX_DIGITS - 1));
  }

  private static Node escape() {
    Node hex = bytes(HEX);
    Node high = sequence(bytes("dD"), bytes("89abAB"), hex, hex);
    Node low = sequence(bytes("dD"), bytes("cdefCDEF"), hex, hex);
    return sequence(
        text("\\"),
        choice(
            bytes("\"\\/bfnrt"),
            sequence(text("u"), bytes("0123456789abcefABCEF"), hex, hex, hex),
            sequence(text("u"), bytes("dD"), bytes("01234567"), hex, hex),
            sequence(text("u"), high, text("\\u"), low)));
  }
}
