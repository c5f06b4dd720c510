package dev.caravan.coordinator.text.template;

/** Collects text inside the budget. Confined to one rendering. */
final class TextBuilder {
  private final StringBuilder text = new StringBuilder();
  private final RenderBudget budget;

  TextBuilder(RenderBudget budget) {
    this.budget = budget;
  }

  TextBuilder append(String piece) {
    grow(piece.length());
    text.append(piece);
    return this;
  }

  TextBuilder append(char piece) {
    grow(1);
    text.append(piece);
    return this;
  }

  private void grow(int chars) {
    if (chars > RenderBudget.MAX_TEXT_CHARS - text.length()) {
      budget.text((long) text.length() + chars);
    }
    budget.text(chars);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
