package dev.caravan.coordinator.structure.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * How many levels of rules each node needs at least to match any text at all. Immutable.
 *
 * <p>An automaton that enters a node only where so many levels are left can always leave it again:
 * this is why a grammar has no dead ends.
 */
final class Levels {
  /** No text matches, however deep. */
  private static final int NEVER = Integer.MAX_VALUE;

  private final BitSet available;
  private final IdentityHashMap<Node, Integer> needed = new IdentityHashMap<>();

  /**
   * @param available bytes that are tokens of their own: others may be impossible to write
   */
  Levels(Node root, BitSet available) {
    this.available = available;
    List<Node> nodes = childrenFirst(root);
    boolean changed;
    do {
      changed = false;
      for (Node node : nodes) {
        int now = compute(node);
        changed |= now != needed(node);
        needed.put(node, now);
      }
    } while (changed);
  }

  int needed(Node node) {
    return needed.getOrDefault(node, NEVER);
  }

  /** Grammars nest deeper than a thread's stack: no recursion. */
  private static List<Node> childrenFirst(Node root) {
    List<Node> ordered = new ArrayList<>();
    IdentityHashMap<Node, Boolean> entered = new IdentityHashMap<>();
    Deque<Node> open = new ArrayDeque<>();
    open.push(root);
    while (!open.isEmpty()) {
      Node node = open.peek();
      if (entered.putIfAbsent(node, false) == null) {
        node.children().stream().filter(child -> !entered.containsKey(child)).forEach(open::push);
      } else {
        open.pop();
        if (!entered.replace(node, true)) {
          ordered.add(node);
        }
      }
    }
    return ordered;
  }

  private int compute(Node node) {
    return switch (node) {
      case Node.Bytes bytes -> bytes.set().intersects(available) ? 0 : NEVER;
      case Node.Literal literal -> canWrite(literal) ? 0 : NEVER;
      case Node.Sequence sequence ->
          sequence.parts().stream().mapToInt(this::needed).max().orElse(0);
      case Node.Choice choice ->
          choice.alternatives().stream().mapToInt(this::needed).min().orElse(NEVER);
      case Node.Repeat repeat -> repeat.min() == 0 ? 0 : needed(repeat.body());
      case Node.Rule rule -> needed(rule.body()) == NEVER ? NEVER : needed(rule.body()) + 1;
    };
  }

  private boolean canWrite(Node.Literal literal) {
    for (int i = 0; i < literal.length(); i++) {
      if (!available.get(literal.at(i))) {
        return false;
      }
    }
    return true;
  }
}
