package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Statement.Target;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;

/** Runs statements. Confined to one rendering. */
final class Executor {
  /** What comes after a statement. */
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final RenderBudget budget;
  private final Evaluator evaluator;
  private final Printer printer;
  private final Iteration iteration;

  Executor(RenderBudget budget, LocalDateTime now) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget, new Functions(budget, now), this::call);
    this.printer = new Printer(budget);
    this.iteration = new Iteration(budget);
  }

  /** The line that is being run, for errors. */
  int line() {
    return evaluator.line();
  }

  /** Returns the text that statements put out. */
  String render(List<Statement> statements, Scope scope) {
    TextBuilder out = new TextBuilder(budget);
    execute(statements, scope, out);
    return out.toString();
  }

  private Flow execute(List<Statement> statements, Scope scope, TextBuilder out) {
    budget.enter();
    for (Statement statement : statements) {
      Flow flow = execute(statement, scope, out);
      if (flow != Flow.NEXT) {
        budget.leave();
        return flow;
      }
    }
    budget.leave();
    return Flow.NEXT;
  }

  private Flow execute(Statement statement, Scope scope, TextBuilder out) {
    budget.step();
    evaluator.at(statement.line());
    switch (statement) {
      case Statement.Data data -> out.append(data.text());
      case Statement.Output output ->
          out.append(printer.text(evaluator.evaluate(output.value(), scope)));
      case Statement.If conditional -> {
        return branch(conditional, scope, out);
      }
      case Statement.For loop -> {
        return loop(loop, scope, out);
      }
      case Statement.Set set -> assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
      case Statement.SetBlock set ->
          assign(set.target(), new Value.Text(render(set.body(), new Scope(scope))), scope);
      case Statement.Macro macro -> scope.set(macro.name(), new Value.MacroValue(macro, scope));
      case Statement.Generation generation -> {
        return execute(generation.body(), new Scope(scope), out);
      }
      case Statement.Break b -> {
        return Flow.BREAK;
      }
      case Statement.Continue c -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.NEXT;
  }

  private Flow branch(Statement.If conditional, Scope scope, TextBuilder out) {
    for (Statement.Branch branch : conditional.branches()) {
      if (evaluator.isTrue(branch.condition(), scope)) {
        return execute(branch.body(), scope, out);
      }
    }
    return execute(conditional.otherwise(), scope, out);
  }

  private Flow loop(Statement.For statement, Scope scope, TextBuilder out) {
    List<Value> items = items(statement.range(), scope);
    if (items.isEmpty()) {
      return execute(statement.otherwise(), new Scope(scope), out);
    }
    Value.Loop loop = new Value.Loop(items);
    for (loop.index = 0; loop.index < items.size(); loop.index++) {
      // A scope for each turn: what one sets the next does not see.
      Scope inner = new Scope(scope);
      inner.set("loop", loop);
      assign(statement.range().target(), items.get(loop.index), inner);
      if (execute(statement.body(), inner, out) == Flow.BREAK) {
        break;
      }
    }
    return Flow.NEXT;
  }

  private List<Value> items(Statement.Range range, Scope scope) {
    List<Value> items = iteration.items(evaluator.evaluate(range.items(), scope));
    Expression condition = range.condition();
    if (condition == null) {
      return items;
    }
    List<Value> kept = new ArrayList<>();
    for (Value item : items) {
      Scope inner = new Scope(scope);
      assign(range.target(), item, inner);
      if (evaluator.isTrue(condition, inner)) {
        kept.add(item);
      }
    }
    return kept;
  }

  private void assign(Target target, Value value, Scope scope) {
    budget.step();
    switch (target) {
      case Target.Variable variable -> scope.set(variable.name(), value);
      case Target.Attribute attribute -> {
        if (!(scope.get(attribute.namespace()) instanceof Value.Namespace namespace)) {
          throw TemplateFailure.of("cannot assign attribute on non-namespace object");
        }
        namespace.attributes.put(attribute.name(), value);
      }
      case Target.Several several -> {
        List<Value> values = iteration.items(value);
        if (values.size() != several.targets().size()) {
          throw TemplateFailure.of(
              "%d values for %d variables".formatted(values.size(), several.targets().size()));
        }
        for (int i = 0; i < values.size(); i++) {
          assign(several.targets().get(i), values.get(i), scope);
        }
      }
    }
  }

  private Value call(Value.MacroValue value, Arguments arguments) {
    Statement.Macro macro = value.macro();
    String[] names =
        macro.parameters().stream().map(Statement.Parameter::name).toArray(String[]::new);
    Arguments.Bound bound = arguments.bind("macro '%s'".formatted(macro.name()), names);
    Scope scope = new Scope(value.scope());
    for (int i = 0; i < names.length; i++) {
      Expression fallback = macro.parameters().get(i).fallback();
      if (bound.has(i)) {
        scope.set(names[i], bound.value(i));
      } else if (fallback != null) {
        scope.set(names[i], evaluator.evaluate(fallback, scope));
      } else {
        scope.set(
            names[i], new Value.Undefined("parameter '%s' was not provided".formatted(names[i])));
      }
    }
    return new Value.Text(render(macro.body(), scope));
  }
}
