package dev.caravan.coordinator.text.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a function, filter or test is given, by position and by name. */
record Arguments(List<Value> positional, Map<String, Value> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Value... positional) {
    return new Arguments(List.of(positional), Map.of());
  }

  /** Returns all positional arguments but the first ones. */
  Arguments without(int first) {
    return new Arguments(positional.subList(first, positional.size()), named);
  }

  /**
   * Gives each argument to its parameter.
   *
   * @param callee who is called, for errors
   * @throws TemplateFailure if there are too many, or one has an unknown name
   */
  Bound bind(String callee, String... parameters) {
    if (positional.size() > parameters.length) {
      throw TemplateFailure.of(
          "%s takes at most %d arguments, not %d"
              .formatted(callee, parameters.length, positional.size()));
    }
    @Nullable Value[] values = new @Nullable Value[parameters.length];
    int found = 0;
    for (int i = 0; i < parameters.length; i++) {
      Value value = named.get(parameters[i]);
      found += value == null ? 0 : 1;
      values[i] = i < positional.size() ? positional.get(i) : value;
    }
    if (found < named.size()) {
      throw TemplateFailure.of(
          "%s has no argument named %s".formatted(callee, String.join(" or ", named.keySet())));
    }
    return new Bound(callee, parameters, values);
  }

  /** Arguments by the index of their parameter. */
  static final class Bound {
    private final String callee;
    private final String[] parameters;
    private final @Nullable Value[] values;

    private Bound(String callee, String[] parameters, @Nullable Value[] values) {
      this.callee = callee;
      this.parameters = parameters;
      this.values = values;
    }

    boolean has(int index) {
      return values[index] != null;
    }

    Value value(int index) {
      Value value = values[index];
      if (value == null) {
        throw TemplateFailure.of("%s needs the argument '%s'".formatted(callee, parameters[index]));
      }
      return value;
    }

    Value value(int index, Value fallback) {
      Value value = values[index];
      return value == null ? fallback : value;
    }

    boolean flag(int index, boolean fallback) {
      Value value = values[index];
      return value == null ? fallback : Types.isTrue(value);
    }

    int integer(int index, int fallback) {
      Value value = values[index];
      return value == null ? fallback : integer(index);
    }

    int integer(int index) {
      if (!Numbers.isInteger(value(index))) {
        throw wrong(index, "a whole number");
      }
      return Numbers.nearestInt(value(index));
    }

    String text(int index) {
      if (!(value(index) instanceof Value.Text text)) {
        throw wrong(index, "a text");
      }
      return text.value();
    }

    String text(int index, String fallback) {
      return values[index] == null ? fallback : text(index);
    }

    /** Returns a text, or null if there is none or it is None. */
    @Nullable String optionalText(int index) {
      Value value = values[index];
      return value == null || value == Value.None.NONE ? null : text(index);
    }

    private TemplateFailure wrong(int index, String wanted) {
      return TemplateFailure.of(
          "argument '%s' of %s is a %s, not %s"
              .formatted(parameters[index], callee, Types.name(value(index)), wanted));
    }
  }
}
