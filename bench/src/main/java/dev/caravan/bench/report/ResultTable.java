package dev.caravan.bench.report;

import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Figures of one kind. Confined to one thread. */
public final class ResultTable {
  private final String key;
  private final String title;
  private final List<Column> columns;
  private final List<Object[]> rows = new ArrayList<>();

  /**
   * @param key name of the list of rows in JSON
   * @param title above the table, for people
   */
  public ResultTable(String key, String title, List<Column> columns) {
    this.key = key;
    this.title = title;
    this.columns = List.copyOf(columns);
  }

  /**
   * Adds a row.
   *
   * @param cells one per column: a Double (NaN where there is none), a whole number or a word
   */
  public void row(Object... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          "%d cells for %d columns of %s".formatted(cells.length, columns.size(), key));
    }
    rows.add(cells.clone());
  }

  String key() {
    return key;
  }

  void print(Output out) {
    out.line("  " + title);
    Table table = new Table(columns.stream().map(Column::label).toArray(String[]::new));
    for (Object[] row : rows) {
      Object[] cells = new Object[row.length];
      for (int i = 0; i < row.length; i++) {
        cells[i] = columns.get(i).text(row[i]);
      }
      table.row(cells);
    }
    table.print(out);
    out.line("");
  }

  String html() {
    StringBuilder html = new StringBuilder("<h2>%s</h2>\n".formatted(Report.escaped(title)));
    html.append("<div class=\"wide\"><table><tr>");
    columns.forEach(column -> html.append("<th>%s</th>".formatted(Report.escaped(column.label()))));
    html.append("</tr>\n");
    for (Object[] row : rows) {
      html.append("<tr>");
      for (int i = 0; i < row.length; i++) {
        html.append("<td>%s</td>".formatted(Report.escaped(columns.get(i).text(row[i]))));
      }
      html.append("</tr>\n");
    }
    return html.append("</table></div>\n").toString();
  }

  List<Map<String, Object>> json() {
    List<Map<String, Object>> objects = new ArrayList<>();
    for (Object[] row : rows) {
      Map<String, Object> object = new LinkedHashMap<>();
      for (int i = 0; i < row.length; i++) {
        if (!(row[i] instanceof Double number && number.isNaN())) {
          object.put(columns.get(i).key(), row[i]);
        }
      }
      objects.add(object);
    }
    return objects;
  }
}
