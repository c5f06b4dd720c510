package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Value.Kind;

/** What Python says about the type of a value. */
final class Types {
  private Types() {}

  /** Returns the name of its Python type. */
  static String name(Value value) {
    return switch (value) {
      case Value.None n -> "NoneType";
      case Value.Undefined u -> "Undefined";
      case Value.Bool b -> "bool";
      case Value.Int i -> "int";
      case Value.Float f -> "float";
      case Value.Text t -> "str";
      case Value.Items items ->
          switch (items.kind()) {
            case LIST -> "list";
            case TUPLE -> "tuple";
            case GENERATOR -> "generator";
            case VIEW -> "dict view";
          };
      case Value.Mapping m -> "dict";
      case Value.Namespace n -> "Namespace";
      case Value.Loop l -> "LoopContext";
      case Value.Callable c -> "function";
    };
  }

  /** Returns whether a condition with it holds. */
  static boolean isTrue(Value value) {
    return switch (value) {
      case Value.None n -> false;
      case Value.Undefined u -> false;
      case Value.Bool bool -> bool.isTrue();
      case Value.Int number -> number.value().signum() != 0;
      case Value.Float number -> number.value() != 0;
      case Value.Text text -> !text.value().isEmpty();
      case Value.Items items -> items.kind() == Kind.GENERATOR || !items.values().isEmpty();
      case Value.Mapping mapping -> !mapping.entries().isEmpty();
      case Value.Namespace n -> true;
      case Value.Loop l -> true;
      case Value.Callable c -> true;
    };
  }
}
