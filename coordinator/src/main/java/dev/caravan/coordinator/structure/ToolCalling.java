package dev.caravan.coordinator.structure;

import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.structure.grammar.Automaton;
import dev.caravan.coordinator.structure.grammar.FreeTextConstraint;
import dev.caravan.coordinator.structure.grammar.GrammarConstraint;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.BitSet;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The tools that one request offers: keeps calls in the form that Llama 3.1 and its successors were
 * taught, {@code {"name": "get_weather", "parameters": {...}}}, and finds them in the answer.
 * Thread-safe.
 */
public final class ToolCalling {
  static final char OPENING = '{';

  private final Automaton automaton;
  private final Tokenizer tokenizer;
  private final BitSet notOpening;
  private final boolean forced;

  /**
   * @param automaton of calls after {@link FreeTextConstraint#BLANK}
   * @param notOpening tokens that do not open a call
   * @param forced false: the answer may be text
   */
  ToolCalling(Automaton automaton, Tokenizer tokenizer, BitSet notOpening, boolean forced) {
    this.automaton = automaton;
    this.tokenizer = tokenizer;
    this.notOpening = notOpening;
    this.forced = forced;
  }

  /**
   * Starts a generation.
   *
   * @param endIds what ends it, allowed where no call is open; at least one
   */
  public TokenConstraint constraint(Set<Integer> endIds) {
    GrammarConstraint calls = new GrammarConstraint(automaton, tokenizer, endIds);
    return forced ? calls : new FreeTextConstraint(calls, tokenizer, endIds, OPENING, notOpening);
  }

  /**
   * Starts to read an answer that was made under {@link #constraint}.
   *
   * @param callIds gives each call its id
   */
  public ToolCallParser parser(Supplier<String> callIds) {
    return new ToolCallParser(callIds);
  }
}
