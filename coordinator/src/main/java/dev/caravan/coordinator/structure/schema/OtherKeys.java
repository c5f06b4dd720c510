package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.many;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import dev.caravan.coordinator.structure.grammar.Node;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * Keys that are not among given ones. They are written without backslashes, so that no key has a
 * second spelling.
 */
final class OtherKeys {
  private static final int MAX_NAME = 200;
  private static final Node END = text("\"");
  private static final Node REST = sequence(many(JsonText.PLAIN_CHARACTER), END);

  private final References references;
  private final SchemaPlace place;

  OtherKeys(References references, SchemaPlace place) {
    this.references = references;
    this.place = place;
  }

  Node node(Set<String> names) {
    List<int[]> known = new ArrayList<>();
    for (String name : names) {
      if (name.length() > MAX_NAME) {
        throw place
            .at(name)
            .refuse(
                "has a name of %d characters; %d are supported".formatted(name.length(), MAX_NAME));
      }
      known.add(name.codePoints().toArray());
    }
    return sequence(END, differing(known, 0));
  }

  /** What follows a beginning that these names share: anything but their rest. */
  private Node differing(List<int[]> names, int from) {
    references.spend(place);
    if (names.isEmpty()) {
      return REST;
    }
    BitSet others = Characters.plain();
    TreeMap<Integer, List<int[]>> byNext = new TreeMap<>();
    boolean ends = false;
    for (int[] name : names) {
      if (name.length == from) {
        ends = true;
      } else {
        byNext.computeIfAbsent(name[from], _ -> new ArrayList<>()).add(name);
        others.clear(name[from]);
      }
    }
    List<Node> alternatives = new ArrayList<>();
    byNext.forEach((character, rest) -> {
      BitSet next = new BitSet();
      next.set(character);
      alternatives.add(sequence(Characters.of(next), differing(rest, from + 1)));
    });
    alternatives.add(sequence(Characters.of(others), REST));
    if (!ends) {
      alternatives.add(END);
    }
    return Node.choice(alternatives);
  }
}
