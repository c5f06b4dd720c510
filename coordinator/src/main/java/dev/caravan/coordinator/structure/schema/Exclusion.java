package dev.caravan.coordinator.structure.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Shows that no value fits two branches of a oneOf, by what each branch states: other types, other
 * given values, a common property with other values, or a property that the other branch needs and
 * this one never has. Confined to one compilation.
 */
final class Exclusion {
  private static final int MAX_BRANCHES = 64;
  private static final int MAX_DEPTH = 3;

  private final SchemaMerge merge;

  Exclusion(SchemaMerge merge) {
    this.merge = merge;
  }

  /**
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it cannot be shown
   */
  void check(List<JsonNode> branches, SchemaPlace place) {
    if (branches.size() > MAX_BRANCHES) {
      throw place
          .at(Keywords.ONE_OF)
          .refuse("has %d branches; %d are supported".formatted(branches.size(), MAX_BRANCHES));
    }
    List<ObjectNode> flat = new ArrayList<>();
    for (JsonNode branch : branches) {
      flat.add(merge.flat(branch, place.at(Keywords.ONE_OF, flat.size())));
    }
    for (int i = 0; i < flat.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!exclude(flat.get(j), flat.get(i), place, 0)) {
          throw place
              .at(Keywords.ONE_OF)
              .refuse(
                  "has branches %d and %d that may both hold; use anyOf, or give them a property with different const values"
                      .formatted(j, i));
        }
      }
    }
  }

  private boolean exclude(ObjectNode a, ObjectNode b, SchemaPlace place, int depth) {
    if (disjointTypes(a, b, place)
        || disjointValues(a, b, place)
        || lacksType(a, b, place)
        || lacksType(b, a, place)) {
      return true;
    }
    if (depth == MAX_DEPTH || !isObject(a, place) || !isObject(b, place)) {
      return false;
    }
    return discriminated(a, b, place, depth) || (lacksRequired(a, b) && lacksRequired(b, a));
  }

  private static boolean disjointTypes(ObjectNode a, ObjectNode b, SchemaPlace place) {
    var first = Keywords.types(a, place);
    var second = Keywords.types(b, place);
    return first.isPresent()
        && second.isPresent()
        && first.get().stream().noneMatch(x -> second.get().stream().anyMatch(y -> overlap(x, y)));
  }

  private static boolean overlap(String a, String b) {
    return a.equals(b) || (isNumeric(a) && isNumeric(b));
  }

  private static boolean isNumeric(String type) {
    return type.equals("integer") || type.equals("number");
  }

  private static boolean disjointValues(ObjectNode a, ObjectNode b, SchemaPlace place) {
    var first = LiteralGrammar.values(a, place);
    var second = LiteralGrammar.values(b, place);
    if (first.isEmpty() || second.isEmpty()) {
      return false;
    }
    return first.get().stream()
        .noneMatch(x -> second.get().stream().anyMatch(y -> LiteralGrammar.equal(x, y)));
  }

  /** Returns true if no given value of a has a type of b. */
  private static boolean lacksType(ObjectNode a, ObjectNode b, SchemaPlace place) {
    var values = LiteralGrammar.values(a, place);
    var types = Keywords.types(b, place);
    return values.isPresent()
        && types.isPresent()
        && values.get().stream()
            .noneMatch(value ->
                types.get().stream().anyMatch(type -> LiteralGrammar.hasType(value, type)));
  }

  private static boolean isObject(ObjectNode schema, SchemaPlace place) {
    return Keywords.types(schema, place).map(List.of("object")::equals).orElse(false);
  }

  private boolean discriminated(ObjectNode a, ObjectNode b, SchemaPlace place, int depth) {
    for (JsonNode name : a.path(Keywords.REQUIRED)) {
      JsonNode first = a.path(Keywords.PROPERTIES).path(name.asText());
      JsonNode second = b.path(Keywords.PROPERTIES).path(name.asText());
      if (requires(b, name.asText())
          && !first.isMissingNode()
          && !second.isMissingNode()
          && exclude(merge.flat(first, place), merge.flat(second, place), place, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  private static boolean requires(ObjectNode schema, String property) {
    for (JsonNode name : schema.path(Keywords.REQUIRED)) {
      if (name.asText().equals(property)) {
        return true;
      }
    }
    return false;
  }

  /** Returns true if b needs a property that is never written for a. */
  private static boolean lacksRequired(ObjectNode a, ObjectNode b) {
    boolean closed =
        a.has(Keywords.ADDITIONAL)
            ? a.get(Keywords.ADDITIONAL).equals(a.booleanNode(false))
            : a.has(Keywords.PROPERTIES);
    if (!closed) {
      return false;
    }
    for (JsonNode name : b.path(Keywords.REQUIRED)) {
      if (!a.path(Keywords.PROPERTIES).has(name.asText()) && !requires(a, name.asText())) {
        return true;
      }
    }
    return false;
  }
}
