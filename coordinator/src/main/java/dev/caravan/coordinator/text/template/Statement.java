package dev.caravan.coordinator.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a template does. Immutable; {@code line} is where it begins, for errors. */
sealed interface Statement {
  int line();

  /** Text outside of tags. */
  record Data(int line, String text) implements Statement {}

  /** <code>{{ value }}</code>. */
  record Output(int line, Expression value) implements Statement {}

  /** The body of the first branch whose condition holds, or else the last one. */
  record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
    public If {
      branches = List.copyOf(branches);
      otherwise = List.copyOf(otherwise);
    }
  }

  /** A condition and what is done if it holds. */
  record Branch(Expression condition, List<Statement> body) {
    public Branch {
      body = List.copyOf(body);
    }
  }

  /** The body once for each item, or the other one if there is no item. */
  record For(int line, Range range, List<Statement> body, List<Statement> otherwise)
      implements Statement {
    public For {
      body = List.copyOf(body);
      otherwise = List.copyOf(otherwise);
    }
  }

  /** {@code target in items if condition}. */
  record Range(Target target, Expression items, @Nullable Expression condition) {}

  /** {@code set target = value}. */
  record Set(int line, Target target, Expression value) implements Statement {}

  /** {@code set target} ... {@code endset}: the text of the body. */
  record SetBlock(int line, Target target, List<Statement> body) implements Statement {
    public SetBlock {
      body = List.copyOf(body);
    }
  }

  /** A function of the template's own, whose result is the text of its body. */
  record Macro(int line, String name, List<Parameter> parameters, List<Statement> body)
      implements Statement {
    public Macro {
      parameters = List.copyOf(parameters);
      body = List.copyOf(body);
    }
  }

  /** A macro's parameter. */
  record Parameter(String name, @Nullable Expression fallback) {}

  /** A body with variables of its own: {@code generation} marks what an assistant said. */
  record Generation(int line, List<Statement> body) implements Statement {
    public Generation {
      body = List.copyOf(body);
    }
  }

  /** Ends the loop around it. */
  record Break(int line) implements Statement {}

  /** Goes on with the next item of the loop around it. */
  record Continue(int line) implements Statement {}

  /** What is assigned to. */
  sealed interface Target {
    /** A variable. */
    record Variable(String name) implements Target {}

    /** An attribute of a namespace. */
    record Attribute(String namespace, String name) implements Target {}

    /** Several targets for the items of one value. */
    record Several(List<Target> targets) implements Target {
      public Several {
        targets = List.copyOf(targets);
      }
    }
  }
}
