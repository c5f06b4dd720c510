package dev.caravan.coordinator.structure;

import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.structure.grammar.Automaton;
import dev.caravan.coordinator.structure.grammar.GrammarConstraint;
import dev.caravan.coordinator.structure.grammar.Node;
import dev.caravan.coordinator.structure.grammar.TokenTrie;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.Set;

/**
 * A form that all of an answer has to have. Thread-safe; shared by all generations that ask for the
 * same form, so that what one found out about its tokens is known to the next.
 */
public final class OutputGrammar {
  private final Automaton automaton;
  private final Tokenizer tokenizer;

  OutputGrammar(Node root, TokenTrie tokens, Tokenizer tokenizer) {
    this.automaton = new Automaton(root, tokens);
    this.tokenizer = tokenizer;
  }

  boolean isSatisfiable() {
    return automaton.isSatisfiable();
  }

  /**
   * Starts a generation.
   *
   * @param endIds what ends it, allowed exactly where the answer is complete; at least one
   */
  public TokenConstraint constraint(Set<Integer> endIds) {
    return new GrammarConstraint(automaton, tokenizer, endIds);
  }
}
