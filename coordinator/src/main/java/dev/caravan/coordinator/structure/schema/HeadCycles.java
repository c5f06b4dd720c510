package dev.caravan.coordinator.structure.schema;

import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;

/** Finds rules that contain themselves before the first byte: such a grammar never gets on. */
final class HeadCycles {
  private HeadCycles() {}

  /** Returns true if there is such a rule; chains of references may be long, so no recursion. */
  static boolean exist(Node root) {
    IdentityHashMap<Node, Boolean> finished = new IdentityHashMap<>();
    Deque<Node> seen = new ArrayDeque<>();
    for (Node start : reachable(root)) {
      seen.push(start);
      while (!seen.isEmpty()) {
        Node node = seen.peek();
        if (finished.putIfAbsent(node, false) != null) {
          seen.pop();
          finished.put(node, true);
          continue;
        }
        for (Node head : heads(node)) {
          Boolean state = finished.get(head);
          if (state == null) {
            seen.push(head);
          } else if (!state) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static List<Node> reachable(Node root) {
    List<Node> found = new ArrayList<>(List.of(root));
    IdentityHashMap<Node, Boolean> known = new IdentityHashMap<>();
    known.put(root, true);
    for (int i = 0; i < found.size(); i++) {
      for (Node child : found.get(i).children()) {
        if (known.put(child, true) == null) {
          found.add(child);
        }
      }
    }
    return found;
  }

  /** What a match may start with. */
  private static List<Node> heads(Node node) {
    if (!(node instanceof Node.Sequence sequence)) {
      return node.children();
    }
    List<Node> heads = new ArrayList<>();
    for (Node part : sequence.parts()) {
      heads.add(part);
      if (!isNullable(part)) {
        break;
      }
    }
    return heads;
  }

  private static boolean isNullable(Node node) {
    return switch (node) {
      case Node.Bytes _, Node.Literal _, Node.Rule _ -> false;
      case Node.Sequence sequence -> sequence.parts().stream().allMatch(HeadCycles::isNullable);
      case Node.Choice choice -> choice.alternatives().stream().anyMatch(HeadCycles::isNullable);
      case Node.Repeat repeat -> repeat.min() == 0;
    };
  }
}
