package dev.caravan.bench.serve;

import java.util.List;
import java.util.Locale;

/** A plot with straight axes as inline SVG; its colours come from the page's style. Immutable. */
record SvgPlot(String title, String xLabel, String yLabel, List<Series> series, boolean dots) {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 300;
  private static final int LEFT = 64;
  private static final int TOP = 16;
  private static final int RIGHT = 16;
  private static final int BOTTOM = 48;
  private static final int TICKS = 5;

  SvgPlot {
    series = List.copyOf(series);
  }

  /** Points with a name. */
  record Series(String name, List<Point> points) {
    Series {
      points = List.copyOf(points);
    }
  }

  /** A place in the plot's own units. */
  record Point(double x, double y) {}

  String render() {
    double maxX = max(true);
    double maxY = max(false);
    StringBuilder svg = new StringBuilder();
    svg.append("<figure><figcaption>%s</figcaption>".formatted(title));
    svg.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
            .formatted(WIDTH, HEIGHT, title));
    axes(svg, maxX, maxY);
    for (int i = 0; i < series.size(); i++) {
      draw(svg, i, maxX, maxY);
    }
    return svg.append("</svg></figure>\n").toString();
  }

  private double max(boolean ofX) {
    double max =
        series.stream()
            .flatMap(one -> one.points.stream())
            .mapToDouble(point -> ofX ? point.x : point.y)
            .max()
            .orElse(1);
    return max > 0 ? max : 1;
  }

  private void axes(StringBuilder svg, double maxX, double maxY) {
    for (int tick = 0; tick <= TICKS; tick++) {
      double y = y(maxY * tick / TICKS, maxY);
      double x = x(maxX * tick / TICKS, maxX);
      line(svg, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
      line(
          svg,
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
          LEFT - 6,
          y + 4,
          number(maxY * tick / TICKS));
      line(
          svg,
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
          x,
          HEIGHT - BOTTOM + 18,
          number(maxX * tick / TICKS));
    }
    line(
        svg,
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
        (LEFT + WIDTH - RIGHT) / 2,
        HEIGHT - 8,
        xLabel);
    line(
        svg,
        "<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
        (TOP + HEIGHT - BOTTOM) / 2,
        yLabel);
  }

  private void draw(StringBuilder svg, int index, double maxX, double maxY) {
    Series one = series.get(index);
    StringBuilder path = new StringBuilder();
    for (Point point : one.points) {
      double x = x(point.x, maxX);
      double y = y(point.y, maxY);
      if (dots) {
        line(svg, "<circle class=\"s%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", index, x, y);
      } else {
        line(path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x, y);
      }
    }
    if (!path.isEmpty()) {
      line(svg, "<path class=\"line s%d\" d=\"%s\"/>", index, path);
    }
    line(
        svg,
        "<text class=\"name s%d\" x=\"%d\" y=\"%d\">%s</text>",
        index,
        LEFT + 12,
        TOP + 14 + 16 * index,
        one.name);
  }

  private static void line(StringBuilder svg, String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments));
  }

  private static double x(double value, double max) {
    return LEFT + value / max * (WIDTH - LEFT - RIGHT);
  }

  private static double y(double value, double max) {
    return HEIGHT - BOTTOM - value / max * (HEIGHT - TOP - BOTTOM);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 1 ? "%.1f" : "%.2f", value);
  }
}
