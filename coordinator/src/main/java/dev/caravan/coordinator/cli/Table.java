package dev.caravan.coordinator.cli;

import java.util.ArrayList;
import java.util.List;

/** A small table for people: a header, rows, columns as wide as they need to be. */
public final class Table {
  private final List<String[]> rows = new ArrayList<>();

  public Table(String... header) {
    rows.add(header);
  }

  public void row(Object... cells) {
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      row[i] = String.valueOf(cells[i]);
    }
    rows.add(row);
  }

  public void print(Output out) {
    int columns = rows.getFirst().length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    for (int r = 0; r < rows.size(); r++) {
      StringBuilder line = new StringBuilder("  ");
      for (int i = 0; i < columns; i++) {
        String cell = rows.get(r)[i];
        line.append(" ".repeat(widths[i] - cell.length())).append(cell).append("  ");
      }
      out.line(line.toString().stripTrailing());
      if (r == 0) {
        int width = 0;
        for (int columnWidth : widths) {
          width += columnWidth + 2;
        }
        out.line("  " + "─".repeat(Math.max(0, width - 2)));
      }
    }
  }
}
