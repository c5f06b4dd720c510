package dev.caravan.coordinator.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** The arithmetic operators. Confined to one rendering. */
final class Arithmetic {
  /** An operator with two operands. */
  enum Operator {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    DIVIDE("/"),
    FLOOR_DIVIDE("//"),
    MODULO("%"),
    POWER("**");

    private final String symbol;

    Operator(String symbol) {
      this.symbol = symbol;
    }

    static Operator of(String symbol) {
      for (Operator operator : values()) {
        if (operator.symbol.equals(symbol)) {
          return operator;
        }
      }
      throw new IllegalArgumentException("no operator: " + symbol);
    }
  }

  private final RenderBudget budget;

  Arithmetic(RenderBudget budget) {
    this.budget = budget;
  }

  /** Computes {@code left operator right}. */
  Value compute(Operator operator, Value left, Value right) {
    if (left instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    if (right instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    if (Numbers.isInteger(left) && Numbers.isInteger(right)) {
      return integers(operator, Numbers.integer(left), Numbers.integer(right));
    }
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return new Value.Float(reals(operator, Numbers.real(left), Numbers.real(right)));
    }
    return switch (operator) {
      case ADD -> join(left, right);
      case MULTIPLY -> Numbers.isInteger(left) ? repeat(right, left) : repeat(left, right);
      case SUBTRACT, DIVIDE, FLOOR_DIVIDE, MODULO, POWER ->
          throw unsupported(operator, left, right);
    };
  }

  private Value join(Value left, Value right) {
    if (left instanceof Value.Text first && right instanceof Value.Text second) {
      budget.text((long) first.value().length() + second.value().length());
      return new Value.Text(first.value() + second.value());
    }
    if (left instanceof Value.Items first
        && right instanceof Value.Items second
        && first.kind() == second.kind()
        && (first.kind() == Value.Kind.LIST || first.kind() == Value.Kind.TUPLE)) {
      budget.steps((long) first.values().size() + second.values().size());
      List<Value> both = new ArrayList<>(first.values());
      both.addAll(second.values());
      return Value.Items.of(first.kind(), both);
    }
    if (left instanceof Value.Text || right instanceof Value.Text) {
      throw TemplateFailure.of(
          "can only concatenate str to str, not %s and %s"
              .formatted(Types.name(left), Types.name(right)));
    }
    throw unsupported(Operator.ADD, left, right);
  }

  private Value repeat(Value value, Value times) {
    if (!Numbers.isInteger(times)) {
      throw unsupported(Operator.MULTIPLY, value, times);
    }
    int count = Math.max(0, Numbers.nearestInt(times));
    if (value instanceof Value.Text text) {
      budget.text((long) text.value().length() * count);
      return new Value.Text(text.value().repeat(text.value().isEmpty() ? 0 : count));
    }
    if (value instanceof Value.Items items
        && (items.kind() == Value.Kind.LIST || items.kind() == Value.Kind.TUPLE)) {
      budget.steps((long) items.values().size() * count);
      List<Value> repeated = new ArrayList<>();
      for (int i = 0; i < count && !items.values().isEmpty(); i++) {
        repeated.addAll(items.values());
      }
      return Value.Items.of(items.kind(), repeated);
    }
    throw unsupported(Operator.MULTIPLY, value, times);
  }

  private static Value integers(Operator operator, BigInteger left, BigInteger right) {
    if (operator == Operator.POWER) {
      return power(left, right);
    }
    boolean divides =
        operator != Operator.ADD && operator != Operator.SUBTRACT && operator != Operator.MULTIPLY;
    if (divides && right.signum() == 0) {
      throw TemplateFailure.of("division by zero");
    }
    return switch (operator) {
      case ADD -> Numbers.bounded(left.add(right));
      case SUBTRACT -> Numbers.bounded(left.subtract(right));
      case MULTIPLY -> Numbers.bounded(left.multiply(right));
      case DIVIDE ->
          new Value.Float(Numbers.real(new Value.Int(left)) / Numbers.real(new Value.Int(right)));
      case FLOOR_DIVIDE -> {
        BigInteger[] parts = left.divideAndRemainder(right);
        boolean below = parts[1].signum() != 0 && parts[1].signum() != right.signum();
        yield new Value.Int(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
      }
      case MODULO -> {
        BigInteger rest = left.mod(right.abs());
        yield new Value.Int(right.signum() < 0 && rest.signum() != 0 ? rest.add(right) : rest);
      }
      case POWER -> throw new IllegalStateException("computed above");
    };
  }

  private static Value power(BigInteger base, BigInteger exponent) {
    if (exponent.signum() < 0) {
      double result =
          reals(
              Operator.POWER,
              Numbers.real(new Value.Int(base)),
              Numbers.real(new Value.Int(exponent)));
      return new Value.Float(result);
    }
    // The powers of 0, 1 and -1 are small whatever the exponent is: its last bits decide.
    boolean isSmall = base.abs().bitLength() <= 1;
    int parity = exponent.signum() == 0 ? 0 : exponent.testBit(0) ? 1 : 2;
    int count = isSmall ? parity : Numbers.nearestInt(new Value.Int(exponent));
    Numbers.checkBits((long) (base.bitLength() - 1) * count);
    return Numbers.bounded(base.pow(count));
  }

  private static double reals(Operator operator, double left, double right) {
    return switch (operator) {
      case ADD -> left + right;
      case SUBTRACT -> left - right;
      case MULTIPLY -> left * right;
      case DIVIDE -> left / nonZero(right);
      case FLOOR_DIVIDE -> {
        double rest = modulo(left, nonZero(right));
        yield Math.rint((left - rest) / right);
      }
      case MODULO -> modulo(left, nonZero(right));
      case POWER -> realPower(left, right);
    };
  }

  private static double realPower(double base, double exponent) {
    if (base == 0 && exponent < 0) {
      throw TemplateFailure.of("0.0 cannot be raised to a negative power");
    }
    double power = Math.pow(base, exponent);
    if (Double.isFinite(base) && Double.isFinite(exponent) && !Double.isFinite(power)) {
      throw TemplateFailure.of("the power has no real value or is too large");
    }
    return power;
  }

  private static double modulo(double left, double right) {
    double rest = left % right;
    return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
  }

  private static double nonZero(double divisor) {
    if (divisor == 0) {
      throw TemplateFailure.of("division by zero");
    }
    return divisor;
  }

  private static TemplateFailure unsupported(Operator operator, Value left, Value right) {
    return TemplateFailure.of(
        "unsupported operand types for %s: '%s' and '%s'"
            .formatted(operator.symbol, Types.name(left), Types.name(right)));
  }
}
