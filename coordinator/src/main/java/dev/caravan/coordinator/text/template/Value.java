package dev.caravan.coordinator.text.template;

import java.math.BigInteger;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an expression can be, as Python has it. Immutable, but for namespaces and the state of a
 * loop, and never deeper than {@link #MAX_DEPTH}: walking a value needs no bound of its own.
 */
sealed interface Value {
  /** Lists and mappings inside one another. */
  int MAX_DEPTH = 100;

  /** Returns how deep it is: 0 for what has no parts. */
  default int depth() {
    return 0;
  }

  /** Python's None. */
  enum None implements Value {
    NONE
  }

  /**
   * Something that is not there. It prints as nothing and has no items; anything else fails.
   *
   * @param problem what is missing, for the error
   */
  record Undefined(String problem) implements Value {
    static Undefined variable(String name) {
      return new Undefined("'%s' is undefined".formatted(name));
    }

    TemplateFailure failure() {
      return TemplateFailure.of(problem);
    }
  }

  /** True or false; also the numbers 1 and 0. */
  enum Bool implements Value {
    FALSE,
    TRUE;

    static Bool of(boolean value) {
      return value ? TRUE : FALSE;
    }

    boolean isTrue() {
      return this == TRUE;
    }
  }

  /** A whole number. */
  record Int(BigInteger value) implements Value {
    static Int of(long value) {
      return new Int(BigInteger.valueOf(value));
    }
  }

  /** A floating-point number. */
  record Float(double value) implements Value {}

  /** A string. */
  record Text(String value) implements Value {
    static final Text EMPTY = new Text("");
  }

  /** What {@link Items} are in Python. */
  enum Kind {
    LIST,
    TUPLE,
    /** The result of a filter or method that Python computes lazily: only good to walk through. */
    GENERATOR,
    /** The keys, values or items of a mapping. */
    VIEW
  }

  /** Several values in order. */
  record Items(Kind kind, List<Value> values, int depth) implements Value {
    /** Takes the list as its own: it must not be changed any more. */
    static Items of(Kind kind, List<Value> values) {
      int depth = 0;
      for (Value value : values) {
        depth = Math.max(depth, value.depth());
      }
      return new Items(kind, Collections.unmodifiableList(values), deeper(depth));
    }

    static Items list(List<Value> values) {
      return of(Kind.LIST, values);
    }

    static Items tuple(Value... values) {
      return of(Kind.TUPLE, List.of(values));
    }
  }

  /** Values by key; the keys are those of {@link #key(Value)}. */
  record Mapping(Map<Object, Value> entries, int depth) implements Value {
    /** Takes the map as its own: it must not be changed any more. */
    static Mapping of(Map<Object, Value> entries) {
      int depth = 0;
      for (Value value : entries.values()) {
        depth = Math.max(depth, value.depth());
      }
      return new Mapping(Collections.unmodifiableMap(entries), deeper(depth));
    }

    /** Returns the value of a key; null if there is none, or if it could never be a key. */
    @Nullable Value get(Value key) {
      return isKey(key) ? entries.get(key(key)) : null;
    }

    private static boolean isKey(Value value) {
      return value instanceof Text || value == None.NONE || Numbers.isNumber(value);
    }

    /**
     * Returns what stands for a value as a key: a Java object that can be compared, so that keys
     * with equal hashes cost little.
     */
    static Object key(Value value) {
      return switch (value) {
        case Text text -> text.value();
        case Int number -> number.value();
        case Bool bool -> bool;
        case None none -> none;
        case Float number ->
            number.value() % 1 == 0 ? Numbers.floor(number.value()) : number.value();
        default ->
            throw TemplateFailure.of(
                "a '%s' cannot be a key; use a text or a number".formatted(Types.name(value)));
      };
    }

    /** Returns the value that a key stands for. */
    static Value value(Object key) {
      return switch (key) {
        case String text -> new Text(text);
        case BigInteger number -> new Int(number);
        case Double number -> new Float(number);
        case Value value -> value;
        default -> throw new IllegalStateException("not a key: " + key.getClass());
      };
    }
  }

  /** An object with attributes that a template may set. Confined to one rendering. */
  final class Namespace implements Value {
    final Map<String, Value> attributes = new LinkedHashMap<>();
  }

  /** What can be called. */
  sealed interface Callable extends Value {}

  /** A method of a value. */
  record Method(Value receiver, String name) implements Callable {
    /** Methods of a value hold the value. */
    @Override
    public int depth() {
      return receiver.depth();
    }
  }

  /** A macro and the variables it was defined among. */
  record MacroValue(Statement.Macro macro, Scope scope) implements Callable {}

  /** What every template can call. */
  enum Global implements Callable {
    RANGE,
    DICT,
    NAMESPACE,
    RAISE_EXCEPTION,
    STRFTIME_NOW
  }

  /** The variable {@code loop}. Confined to one rendering. */
  final class Loop implements Value {
    final List<Value> items;
    int index;
    @Nullable Items lastChanged;

    Loop(List<Value> items) {
      this.items = items;
    }
  }

  private static int deeper(int depth) {
    if (depth >= MAX_DEPTH) {
      throw TemplateFailure.of(
          "lists and mappings inside one another deeper than %d levels".formatted(MAX_DEPTH));
    }
    return depth + 1;
  }
}
