package dev.caravan.coordinator.text.template;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has a value. Immutable; {@code line} is where it stands, for errors. */
sealed interface Expression {
  int line();

  /** A constant. */
  record Literal(int line, Value value) implements Expression {}

  /** A variable. */
  record Name(int line, String name) implements Expression {}

  /** A list or a tuple that is written out. */
  record ItemsDisplay(int line, Value.Kind kind, List<Expression> elements) implements Expression {
    public ItemsDisplay {
      elements = List.copyOf(elements);
    }
  }

  /** A mapping that is written out. */
  record MappingDisplay(int line, List<Pair> pairs) implements Expression {
    public MappingDisplay {
      pairs = List.copyOf(pairs);
    }
  }

  /** A key and its value. */
  record Pair(Expression key, Expression value) {}

  /** {@code not x}. */
  record Not(int line, Expression operand) implements Expression {}

  /** {@code -x} or {@code +x}. */
  record Signed(int line, boolean negative, Expression operand) implements Expression {}

  /** Two operands and an arithmetic operator. */
  record Binary(int line, Arithmetic.Operator operator, Expression left, Expression right)
      implements Expression {}

  /** {@code a ~ b ~ c}: the texts of all, joined. */
  record Concatenation(int line, List<Expression> parts) implements Expression {
    public Concatenation {
      parts = List.copyOf(parts);
    }
  }

  /** {@code a < b <= c}: true if each holds. */
  record Comparison(int line, Expression first, List<Comparand> rest) implements Expression {
    public Comparison {
      rest = List.copyOf(rest);
    }
  }

  /** An operator and what stands on its right. */
  record Comparand(Comparisons.Operator operator, Expression operand) {}

  /** {@code a and b} or {@code a or b}: the operand that decides. */
  record Logical(int line, boolean conjunction, Expression left, Expression right)
      implements Expression {}

  /** {@code a if c else b}. */
  record Conditional(
      int line, Expression condition, Expression then, @Nullable Expression otherwise)
      implements Expression {}

  /** {@code a.name}. */
  record Attribute(int line, Expression target, String name) implements Expression {}

  /** {@code a[index]}. */
  record Subscript(int line, Expression target, Expression index) implements Expression {}

  /** {@code a[start:stop:step]}. */
  record Slice(int line, Expression target, Bounds bounds) implements Expression {}

  /** The bounds of a slice, each may be missing. */
  record Bounds(@Nullable Expression start, @Nullable Expression stop, @Nullable Expression step) {}

  /** {@code a(...)}. */
  record Call(int line, Expression target, Inputs inputs) implements Expression {}

  /** {@code a | name(...)}. */
  record Filter(int line, Expression target, String name, Inputs inputs) implements Expression {}

  /** {@code a is name(...)}. */
  record Test(int line, Expression target, String name, Inputs inputs) implements Expression {}

  /** What a call is given, by position and by name. */
  record Inputs(List<Expression> positional, Map<String, Expression> named) {
    static final Inputs NONE = new Inputs(List.of(), Map.of());

    public Inputs {
      positional = List.copyOf(positional);
      // In the order they are written: a namespace or dict keeps it.
      named = Collections.unmodifiableMap(new LinkedHashMap<>(named));
    }
  }
}
