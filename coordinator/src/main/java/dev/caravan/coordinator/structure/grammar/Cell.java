package dev.caravan.coordinator.structure.grammar;

import org.jspecify.annotations.Nullable;

/**
 * What is left to match: a node from a place in it on, then the next cell; a stack of them is what
 * a pushdown automaton remembers. Immutable.
 */
final class Cell {
  /** Nothing is left. */
  static final Cell END = new Cell(null, 0, 0, null);

  private final @Nullable Node node;
  private final int at;
  private final int level;
  private final @Nullable Cell next;
  private final int hash;

  private Cell(@Nullable Node node, int at, int level, @Nullable Cell next) {
    this.node = node;
    this.at = at;
    this.level = level;
    this.next = next;
    // Of nodes, only the identity counts. The hash is kept because cells are compared often.
    int own = (System.identityHashCode(node) * 31 + at) * 31 + level;
    this.hash = own * 31 + (next == null ? 0 : next.hash);
  }

  /**
   * @param at part of a sequence, byte of a literal, or count of a repetition
   * @param level of rules around the node
   */
  static Cell of(Node node, int at, int level, Cell next) {
    return new Cell(node, at, level, next);
  }

  /** Returns this node at another place, before other cells. */
  Cell moved(int newAt, Cell newNext) {
    return new Cell(node, newAt, level, newNext);
  }

  /** Returns null in END alone. */
  @Nullable Node node() {
    return node;
  }

  int at() {
    return at;
  }

  int level() {
    return level;
  }

  Cell rest() {
    return next == null ? END : next;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // nodes are told apart by identity
  public boolean equals(@Nullable Object other) {
    if (!(other instanceof Cell b)) {
      return false;
    }
    Cell a = this;
    while (a != b) {
      if (a.hash != b.hash || a.node != b.node || a.at != b.at || a.level != b.level) {
        return false;
      }
      a = a.rest();
      b = b.rest();
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
