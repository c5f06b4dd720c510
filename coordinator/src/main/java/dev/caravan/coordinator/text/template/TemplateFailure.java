package dev.caravan.coordinator.text.template;

/** Ends parsing or rendering; {@link Template} makes the error that callers see of it. */
final class TemplateFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Line of a defect that the parser found; 0 for what rendering found. */
  private final int line;

  private final boolean raised;

  private TemplateFailure(String message, int line, boolean raised) {
    // No stack trace: a template may cause many of these.
    super(message, null, false, false);
    this.line = line;
    this.raised = raised;
  }

  /** The rendering cannot go on. */
  static TemplateFailure of(String message) {
    return new TemplateFailure(message, 0, false);
  }

  /** The template is not in the language. */
  static TemplateFailure syntax(int line, String message) {
    return new TemplateFailure(message, line, false);
  }

  /** The template itself refuses its input, in its own words. */
  static TemplateFailure raised(String message) {
    return new TemplateFailure(message, 0, true);
  }

  String text() {
    return String.valueOf(getMessage());
  }

  int line() {
    return line;
  }

  boolean isRaised() {
    return raised;
  }
}
