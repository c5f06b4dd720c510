package dev.caravan.coordinator.text.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** The comparing operators. Confined to one rendering. */
final class Comparisons {
  /** An operator that is true or false. */
  enum Operator {
    EQUAL("=="),
    NOT_EQUAL("!="),
    LESS("<"),
    LESS_EQUAL("<="),
    GREATER(">"),
    GREATER_EQUAL(">="),
    IN("in"),
    NOT_IN("not in");

    private final String symbol;

    Operator(String symbol) {
      this.symbol = symbol;
    }

    String symbol() {
      return symbol;
    }
  }

  private final RenderBudget budget;

  Comparisons(RenderBudget budget) {
    this.budget = budget;
  }

  /** Returns whether {@code left operator right} holds. */
  boolean holds(Operator operator, Value left, Value right) {
    return switch (operator) {
      case EQUAL -> equal(left, right);
      case NOT_EQUAL -> !equal(left, right);
      case IN -> contains(right, left);
      case NOT_IN -> !contains(right, left);
      case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
          !isNan(left) && !isNan(right) && ordered(operator, compare(left, right));
    };
  }

  private static boolean ordered(Operator operator, int order) {
    return switch (operator) {
      case LESS -> order < 0;
      case LESS_EQUAL -> order <= 0;
      case GREATER -> order > 0;
      case GREATER_EQUAL -> order >= 0;
      case EQUAL, NOT_EQUAL, IN, NOT_IN ->
          throw new IllegalArgumentException("not an order: " + operator);
    };
  }

  private static boolean isNan(Value value) {
    return value instanceof Value.Float number && Double.isNaN(number.value());
  }

  boolean equal(Value left, Value right) {
    budget.step();
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return !isNan(left) && !isNan(right) && compareNumbers(left, right) == 0;
    }
    return switch (left) {
      case Value.Undefined u -> right instanceof Value.Undefined;
      case Value.Text text -> {
        budget.search(text.value(), "");
        yield right instanceof Value.Text other && text.value().equals(other.value());
      }
      case Value.Items items ->
          left == right
              || (right instanceof Value.Items other
                  && items.kind() == other.kind()
                  && items.kind() != Value.Kind.GENERATOR
                  && equal(items.values(), other.values()));
      case Value.Mapping mapping -> right instanceof Value.Mapping other && equal(mapping, other);
      case Value.Method method ->
          right instanceof Value.Method other
              && method.receiver() == other.receiver()
              && method.name().equals(other.name());
      default -> left == right;
    };
  }

  private boolean equal(List<Value> left, List<Value> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return false;
      }
    }
    return true;
  }

  private boolean equal(Value.Mapping left, Value.Mapping right) {
    if (left.entries().size() != right.entries().size()) {
      return false;
    }
    for (Map.Entry<Object, Value> entry : left.entries().entrySet()) {
      Value other = right.entries().get(entry.getKey());
      if (other == null || !equal(entry.getValue(), other)) {
        return false;
      }
    }
    return true;
  }

  /** Orders two numbers, two texts (by code points), two lists or two tuples. */
  int compare(Value left, Value right) {
    budget.step();
    if (left instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    if (right instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return compareNumbers(left, right);
    }
    if (left instanceof Value.Text first && right instanceof Value.Text second) {
      budget.search(first.value(), "");
      return compareTexts(first.value(), second.value());
    }
    if (left instanceof Value.Items first
        && right instanceof Value.Items second
        && first.kind() == second.kind()
        && (first.kind() == Value.Kind.LIST || first.kind() == Value.Kind.TUPLE)) {
      return compareItems(first.values(), second.values());
    }
    throw TemplateFailure.of(
        "'%s' and '%s' have no order".formatted(Types.name(left), Types.name(right)));
  }

  private int compareItems(List<Value> left, List<Value> right) {
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return compare(left.get(i), right.get(i));
      }
    }
    return Integer.compare(left.size(), right.size());
  }

  private static int compareNumbers(Value left, Value right) {
    if (Numbers.isInteger(left) && Numbers.isInteger(right)) {
      return Numbers.integer(left).compareTo(Numbers.integer(right));
    }
    if (isFinite(left) && isFinite(right)) {
      return exact(left).compareTo(exact(right));
    }
    return Double.compare(limit(left), limit(right));
  }

  private static boolean isFinite(Value number) {
    return !(number instanceof Value.Float real) || Double.isFinite(real.value());
  }

  private static BigDecimal exact(Value number) {
    return number instanceof Value.Float real
        ? new BigDecimal(real.value())
        : new BigDecimal(Numbers.integer(number));
  }

  /** Any whole number is nearer to 0 than infinity is. */
  private static double limit(Value number) {
    return number instanceof Value.Float real ? real.value() : Numbers.integer(number).signum();
  }

  /** UTF-16 has another order than code points have. */
  static int compareTexts(String left, String right) {
    int mismatch = 0;
    int length = Math.min(left.length(), right.length());
    while (mismatch < length && left.charAt(mismatch) == right.charAt(mismatch)) {
      mismatch++;
    }
    if (mismatch == length) {
      return Integer.compare(left.length(), right.length());
    }
    char first = left.charAt(mismatch);
    char second = right.charAt(mismatch);
    boolean surrogates = Character.isSurrogate(first) != Character.isSurrogate(second);
    return surrogates ? (Character.isSurrogate(first) ? 1 : -1) : Character.compare(first, second);
  }

  /** Returns whether a text, list or mapping holds a value. */
  boolean contains(Value container, Value value) {
    return switch (container) {
      case Value.Text text -> {
        if (!(value instanceof Value.Text part)) {
          throw TemplateFailure.of(
              "'in <string>' requires string as left operand, not " + Types.name(value));
        }
        budget.search(text.value(), part.value());
        yield text.value().contains(part.value());
      }
      case Value.Items items -> {
        for (Value item : items.values()) {
          if (equal(item, value)) {
            yield true;
          }
        }
        yield false;
      }
      case Value.Mapping mapping -> mapping.get(value) != null;
      case Value.Undefined u -> false;
      default ->
          throw TemplateFailure.of(
              "argument of type '%s' is not iterable".formatted(Types.name(container)));
    };
  }
}
