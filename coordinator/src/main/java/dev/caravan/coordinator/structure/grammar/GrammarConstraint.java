package dev.caravan.coordinator.structure.grammar;

import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.BitSet;
import java.util.Set;

/** Keeps one generation inside of a grammar. Confined to that generation. */
public final class GrammarConstraint implements TokenConstraint {
  private final Automaton automaton;
  private final Tokenizer tokenizer;
  private final Set<Integer> endIds;
  private final BitSet allowed;
  private State state;

  /**
   * Starts before the first token.
   *
   * @param automaton of a grammar that is satisfiable, over the tokens of the tokenizer
   * @param endIds allowed exactly where the text is complete; at least one
   */
  public GrammarConstraint(Automaton automaton, Tokenizer tokenizer, Set<Integer> endIds) {
    if (endIds.isEmpty()) {
      throw new IllegalArgumentException("no end id: a complete text could not end");
    }
    this.automaton = automaton;
    this.tokenizer = tokenizer;
    this.endIds = Set.copyOf(endIds);
    this.allowed = new BitSet(tokenizer.vocabulary().size());
    this.state = automaton.start();
    update();
  }

  @Override
  public BitSet allowed() {
    return allowed;
  }

  @Override
  public void accept(int id) {
    if (!allowed.get(id)) {
      throw new IllegalArgumentException("token %d is not allowed here".formatted(id));
    }
    if (!endIds.contains(id)) {
      state = automaton.after(state, tokenizer.bytes(id));
      update();
    }
  }

  private void update() {
    boolean complete = automaton.accepts(state);
    allowed.clear();
    allowed.or(automaton.mask(state));
    endIds.forEach(id -> allowed.set(id, complete));
  }
}
