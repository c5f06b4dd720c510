package dev.caravan.bench.report;

import dev.caravan.bench.machine.Machine;
import dev.caravan.coordinator.cli.Output;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The outcome of one benchmark: what was measured, where, how, and the figures. Confined to one
 * thread.
 */
public final class Report {
  private final String benchmark;
  private final Machine machine;
  private final Map<String, Object> flags;
  private final List<ResultTable> tables = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  /**
   * @param benchmark name of the command
   * @param flags options with their values, given or by default
   */
  public Report(String benchmark, Machine machine, Map<String, Object> flags) {
    this.benchmark = benchmark;
    this.machine = machine;
    this.flags = new LinkedHashMap<>(flags);
  }

  public void add(ResultTable table) {
    tables.add(table);
  }

  /** Adds a sentence below the tables. */
  public void note(String sentence) {
    notes.add(sentence);
  }

  /** Prints the report: one JSON object on one line, or tables. */
  public void print(Output out, boolean asJson) {
    if (asJson) {
      out.json(json());
      return;
    }
    out.line("");
    out.line("  caravan bench %s   commit %s".formatted(benchmark, machine.commit()));
    out.line("  " + machine.describe());
    out.line("  " + flagsText());
    out.line("");
    tables.forEach(table -> table.print(out));
    notes.forEach(note -> out.line("  " + note));
    if (!notes.isEmpty()) {
      out.line("");
    }
  }

  /** Returns the report as a part of a page. */
  public String html() {
    StringBuilder html = new StringBuilder();
    html.append(
        "<p>%s<br>commit %s<br><code>%s</code></p>\n"
            .formatted(
                escaped(machine.describe()), escaped(machine.commit()), escaped(flagsText())));
    tables.forEach(table -> html.append(table.html()));
    notes.forEach(note -> html.append("<p>%s</p>\n".formatted(escaped(note))));
    return html.toString();
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  private Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("benchmark", benchmark);
    object.put("commit", machine.commit());
    object.put("machine", machine.json());
    object.put("flags", flags);
    tables.forEach(table -> object.put(table.key(), table.json()));
    object.put("notes", notes);
    return object;
  }

  private String flagsText() {
    StringBuilder text = new StringBuilder();
    flags.forEach((name, value) -> text.append("--%s %s ".formatted(name, value)));
    return text.toString().stripTrailing();
  }
}
