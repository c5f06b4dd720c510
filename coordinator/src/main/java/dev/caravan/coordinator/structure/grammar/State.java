package dev.caravan.coordinator.structure.grammar;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * All that may be left to match after some text, in one of several ways; no way at all where the
 * text cannot go on. Confined to its {@link Automaton}, which fills in what follows from the cells
 * when it is first needed.
 */
final class State {
  private static final int BYTES = 256;

  private final Cell[] cells;
  private final int hash;

  /** The cells that start with a byte, and END if the text may end. */
  private Cell @Nullable [] heads;

  private State @Nullable [] next;
  private @Nullable State reduced;
  private @Nullable BitSet mask;

  State(Cell[] cells) {
    this.cells = cells;
    this.hash = Arrays.hashCode(cells);
  }

  Cell[] cells() {
    return cells;
  }

  /** Returns how many ways the text may go on. */
  int ways() {
    return cells.length;
  }

  boolean isDead() {
    return cells.length == 0;
  }

  Cell @Nullable [] heads() {
    return heads;
  }

  void setHeads(Cell[] heads) {
    this.heads = heads;
  }

  @Nullable State next(int value) {
    return next == null ? null : next[value];
  }

  void setNext(int value, State state) {
    if (next == null) {
      next = new State[BYTES];
    }
    next[value] = state;
  }

  @Nullable State reduced() {
    return reduced;
  }

  void setReduced(State reduced) {
    this.reduced = reduced;
  }

  @Nullable BitSet mask() {
    return mask;
  }

  void setMask(@Nullable BitSet mask) {
    this.mask = mask;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof State state && Arrays.equals(cells, state.cells);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
