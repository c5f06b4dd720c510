package dev.caravan.coordinator.metrics;

/**
 * Labels of a metric.
 *
 * @param text as they stand between the braces, values escaped; empty for none
 */
record Labels(String text) {
  static final Labels NONE = new Labels("");

  /** Returns these labels and one more. */
  Labels and(String name, String value) {
    String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    String label = name + "=\"" + escaped + "\"";
    return new Labels(text.isEmpty() ? label : text + "," + label);
  }
}
