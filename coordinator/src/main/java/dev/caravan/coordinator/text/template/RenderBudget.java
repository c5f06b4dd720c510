package dev.caravan.coordinator.text.template;

/**
 * What one rendering may still use. Every evaluation counts a step, every text that is built its
 * characters, so that no template runs long or fills the memory. Confined to one rendering.
 */
final class RenderBudget {
  /** A thousand messages through the largest template known take 200,000. */
  static final long MAX_STEPS = 4_000_000;

  /** The longest text, and the longest output: twenty times the context of a Llama 3. */
  static final int MAX_TEXT_CHARS = 4 << 20;

  /** All texts of a rendering together. */
  static final long MAX_BUILT_CHARS = 128L << 20;

  /** Expressions, blocks and macro calls inside one another. */
  static final int MAX_DEPTH = 200;

  /** Characters that are compared in the time of one step. */
  private static final int COMPARED_CHARS_PER_STEP = 1024;

  private long steps;
  private long builtChars;
  private int depth;

  void step() {
    steps(1);
  }

  /** Counts steps, or as many items that are made. */
  void steps(long count) {
    steps += count;
    if (steps > MAX_STEPS) {
      throw TemplateFailure.of(
          "over %d steps; the template loops too long or the input is too large"
              .formatted(MAX_STEPS));
    }
  }

  /** Counts the search for a text in another. */
  void search(String text, String part) {
    steps(1 + (long) text.length() * (1 + part.length()) / COMPARED_CHARS_PER_STEP);
  }

  /**
   * Counts a text before it is built.
   *
   * @param chars its UTF-16 units
   */
  void text(long chars) {
    if (chars > MAX_TEXT_CHARS) {
      throw TemplateFailure.of(
          "a text of over %d characters; the input is too large".formatted(MAX_TEXT_CHARS));
    }
    builtChars += chars;
    if (builtChars > MAX_BUILT_CHARS) {
      throw TemplateFailure.of(
          "over %d characters built; the template copies too much or the input is too large"
              .formatted(MAX_BUILT_CHARS));
    }
  }

  void enter() {
    if (++depth > MAX_DEPTH) {
      throw TemplateFailure.of("nested deeper than %d levels".formatted(MAX_DEPTH));
    }
  }

  void leave() {
    depth--;
  }
}
