package dev.caravan.coordinator.structure.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a grammar as a pushdown automaton whose states are made when they are first reached, and
 * finds the tokens that each state allows. Thread-safe.
 *
 * <p>Every state but a dead one can go on to the end of a text byte by byte, for a node is entered
 * only where the levels suffice to leave it. What is given out depends on the text alone, never on
 * what the caches hold: bounds on the work count what a walk visits, not what it computes.
 */
public final class Automaton {
  /** Deepest nesting of rules. */
  public static final int MAX_LEVEL = 48;

  /** States and masks kept; beyond that all are forgotten and made again. */
  private static final int MAX_STATES = 2048;

  private static final int MAX_MASKS = 128;

  /** Ways to read a text that are followed at once; others are dropped, each alone suffices. */
  private static final int MAX_WAYS = 320;

  /** Cells visited for one mask, per node of the tree. */
  private static final int WORK_PER_NODE = 8;

  private static final int MIN_WORK = 100_000;

  private final TokenTrie tokens;
  private final Levels levels;
  private final Node rootNode;
  private final Cell root;
  private final Map<State, State> states = new HashMap<>();
  private final List<State> masked = new ArrayList<>();

  /**
   * @param root of a grammar whose rules do not contain themselves before the first byte
   */
  public Automaton(Node root, TokenTrie tokens) {
    this.tokens = tokens;
    this.rootNode = root;
    this.levels = new Levels(root, tokens.singleBytes());
    this.root = Cell.of(root, 0, 0, Cell.END);
  }

  /** Returns false if no text matches the grammar within the levels. */
  public boolean isSatisfiable() {
    return levels.needed(rootNode) <= MAX_LEVEL;
  }

  TokenTrie tokens() {
    return tokens;
  }

  synchronized State start() {
    return state(List.of(root));
  }

  synchronized boolean accepts(State state) {
    for (Cell head : heads(state)) {
      if (head.node() == null) {
        return true;
      }
    }
    return false;
  }

  /** Returns the state after some bytes, a dead one if they cannot follow. */
  synchronized State after(State state, byte[] bytes) {
    State reached = state;
    for (byte value : bytes) {
      reached = step(reached, value & 0xFF);
    }
    return reached;
  }

  /** Returns the tokens that may follow; not to be changed. */
  synchronized BitSet mask(State state) {
    State from = reduced(state);
    BitSet known = from.mask();
    if (known != null) {
      return known;
    }
    if (masked.size() >= MAX_MASKS) {
      masked.forEach(old -> old.setMask(null));
      masked.clear();
    }
    BitSet mask = computeMask(from);
    from.setMask(mask);
    masked.add(from);
    return mask;
  }

  /** Takes shorter tokens only where a state is so ambiguous that a whole walk costs too much. */
  private BitSet computeMask(State from) {
    for (int depth = tokens.depth(); depth > 1; depth /= 4) {
      BitSet allowed = new BitSet(tokens.vocabularySize());
      if (walk(from, depth, allowed)) {
        return allowed;
      }
    }
    BitSet allowed = new BitSet(tokens.vocabularySize());
    walk(from, 1, allowed);
    return allowed;
  }

  /** Returns false if the walk was given up. */
  private boolean walk(State from, int maxDepth, BitSet allowed) {
    State[] path = new State[maxDepth + 1];
    path[0] = from;
    long work = Math.max(MIN_WORK, (long) WORK_PER_NODE * tokens.nodes());
    for (int node = 0; node < tokens.nodes(); ) {
      int level = tokens.level(node);
      State before = path[level - 1];
      work -= before.ways();
      if (work < 0 && maxDepth > 1) {
        return false;
      }
      State reached = step(before, tokens.label(node));
      if (reached.isDead()) {
        node = tokens.subtreeEnd(node);
        continue;
      }
      path[level] = reached;
      tokens.addIds(node, allowed);
      node = level < maxDepth ? node + 1 : tokens.subtreeEnd(node);
    }
    return true;
  }

  private State step(State state, int value) {
    State known = state.next(value);
    if (known != null) {
      return known;
    }
    Set<Cell> reached = new LinkedHashSet<>();
    for (Cell head : heads(state)) {
      Cell after = after(head, value);
      if (after != null && reached.size() < MAX_WAYS) {
        reached.add(after);
      }
    }
    State next = state(reached);
    state.setNext(value, next);
    return next;
  }

  private @Nullable Cell after(Cell head, int value) {
    return switch (head.node()) {
      case Node.Bytes bytes -> bytes.set().contains(value) ? head.rest() : null;
      case Node.Literal literal -> {
        if (literal.at(head.at()) != value) {
          yield null;
        }
        yield head.at() + 1 == literal.length()
            ? head.rest()
            : Cell.of(literal, head.at() + 1, head.level(), head.rest());
      }
      case Node.Sequence _, Node.Choice _, Node.Repeat _, Node.Rule _ ->
          throw new IllegalStateException("%s does not start with a byte".formatted(head.node()));
      case null -> null;
    };
  }

  /** Opens the cells of a state until each starts with a byte, in the order of the grammar. */
  private Cell[] heads(State state) {
    Cell[] known = state.heads();
    if (known != null) {
      return known;
    }
    Set<Cell> seen = new LinkedHashSet<>();
    List<Cell> heads = new ArrayList<>();
    Deque<Cell> open = new ArrayDeque<>();
    for (int i = state.ways() - 1; i >= 0; i--) {
      open.push(state.cells()[i]);
    }
    while (!open.isEmpty() && heads.size() < MAX_WAYS) {
      Cell cell = open.pop();
      if (!seen.add(cell)) {
        continue;
      }
      switch (cell.node()) {
        case null -> heads.add(cell);
        case Node.Bytes _, Node.Literal _ -> heads.add(cell);
        case Node.Sequence sequence -> open.push(firstPart(cell, sequence));
        case Node.Choice choice -> pushAlternatives(cell, choice, open);
        case Node.Repeat repeat -> pushRepeat(cell, repeat, open);
        case Node.Rule rule -> open.push(Cell.of(rule.body(), 0, cell.level() + 1, cell.rest()));
      }
    }
    Cell[] found = heads.toArray(Cell[]::new);
    state.setHeads(found);
    return found;
  }

  private Cell firstPart(Cell cell, Node.Sequence sequence) {
    List<Node> parts = sequence.parts();
    if (cell.at() == parts.size()) {
      return cell.rest();
    }
    // Nothing is kept of a finished sequence, so that a list nests no deeper than its parts.
    Cell rest =
        cell.at() + 1 == parts.size()
            ? cell.rest()
            : Cell.of(sequence, cell.at() + 1, cell.level(), cell.rest());
    return Cell.of(parts.get(cell.at()), 0, cell.level(), rest);
  }

  private void pushAlternatives(Cell cell, Node.Choice choice, Deque<Cell> open) {
    for (Node alternative : choice.alternatives().reversed()) {
      if (fits(alternative, cell.level())) {
        open.push(Cell.of(alternative, 0, cell.level(), cell.rest()));
      }
    }
  }

  private void pushRepeat(Cell cell, Node.Repeat repeat, Deque<Cell> open) {
    int count = cell.at();
    if (count >= repeat.min()) {
      open.push(cell.rest());
    }
    if (repeat.mayRepeat(count) && fits(repeat.body(), cell.level())) {
      int after = repeat.max() == Node.UNBOUNDED ? Math.min(count + 1, repeat.min()) : count + 1;
      Cell again = Cell.of(repeat, after, cell.level(), cell.rest());
      open.push(Cell.of(repeat.body(), 0, cell.level(), again));
    }
  }

  private boolean fits(Node node, int level) {
    return levels.needed(node) <= MAX_LEVEL - level;
  }

  /**
   * Returns a state that allows the same tokens but counts no further than a token can reach, so
   * that the masks inside of a long text are one mask.
   */
  private State reduced(State state) {
    if (state.ways() != 1) {
      // Counts of several ways could become equal, and the ways merge.
      return state;
    }
    State known = state.reduced();
    if (known == null) {
      known = state(List.of(reduced(state.cells()[0])));
      state.setReduced(known);
    }
    return known;
  }

  private Cell reduced(Cell cell) {
    Deque<Cell> path = new ArrayDeque<>();
    Cell last = cell;
    while (last.node() != null) {
      path.push(last);
      last = last.rest();
    }
    Cell reduced = last;
    for (Cell old : path) {
      int at = old.node() instanceof Node.Repeat repeat ? reducedCount(repeat, old.at()) : old.at();
      reduced = old.moved(at, reduced);
    }
    return reduced;
  }

  private int reducedCount(Node.Repeat repeat, int count) {
    int reach = tokens.depth() + 1;
    if (count < repeat.min()) {
      return Math.max(count, repeat.min() - reach);
    }
    return repeat.max() == Node.UNBOUNDED ? count : Math.max(count, repeat.max() - reach);
  }

  private State state(Collection<Cell> left) {
    if (states.size() >= MAX_STATES) {
      states.clear();
      masked.clear();
    }
    State state = new State(left.toArray(Cell[]::new));
    State known = states.putIfAbsent(state, state);
    return known == null ? state : known;
  }
}
