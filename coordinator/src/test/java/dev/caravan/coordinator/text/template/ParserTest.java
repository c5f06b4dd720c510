package dev.caravan.coordinator.text.template;

import static dev.caravan.coordinator.text.template.LexerTest.assertSyntaxError;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** All expected texts are those of Python's jinja2 3.1.6. */
class ParserTest {
  @Test
  void bindsOperatorsAsJinja() {
    assertThat(Rendered.of("{{ 1+2*3-4//3 }} {{ -2**2 }} {{ 2**3**2 }} {{ 'a' + 1 ~ 2 }}"))
        .isEqualTo("6 4 64 a12");
  }

  @Test
  void bindsFiltersCloserThanOperatorsAndLooserThanSigns() {
    assertThat(Rendered.of("{{ 'a' + ' b '|trim + 'c' }}")).isEqualTo("abc");
    assertThat(Rendered.of("{{ -7|abs }}")).isEqualTo("7");
  }

  @Test
  void bindsNotLooserThanComparisons() {
    assertThat(Rendered.of("{{ not 7 == 8 }} {{ not none is none }} {{ 1 is not none }}"))
        .isEqualTo("True False True");
  }

  @Test
  void chainsComparisons() {
    assertThat(Rendered.of("{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 1 not in [2] }}"))
        .isEqualTo("True False True");
  }

  @Test
  void takesAnArgumentOfATestWithoutParentheses() {
    assertThat(Rendered.of("{{ 7 is divisibleby 7 and 1 is eq 1 }} {{ 7 is in [7] }}"))
        .isEqualTo("True True");
  }

  @Test
  void nestsConditionalExpressions() {
    assertThat(Rendered.of("{{ 'a' if 0 else 'b' if 0 else 'c' }}|{{ 'a' if 0 }}|"))
        .isEqualTo("c||");
  }

  @Test
  void readsTuplesListsAndMappings() {
    assertThat(Rendered.of("{{ (1,) }}{{ () }}{{ 1, 2 }}{{ [1, 2,] }}{{ {'a': 1, 2: none,} }}"))
        .isEqualTo("(1,)()(1, 2)[1, 2]{'a': 1, 2: None}");
  }

  @Test
  void refusesWhatIsNotInTheLanguageWithItsLine() {
    assertSyntaxError("\n{% include 'x' %}", 2, "'include'");
    assertSyntaxError("{% if true %}\n\n", 1, "no ");
    assertSyntaxError("{% endif %}", 1, "'endif'");
    assertSyntaxError("{{ }}", 1, "a value");
    assertSyntaxError("{{ 1 2 }}", 1, "'2'");
    assertSyntaxError("{% for x %}{% endfor %}", 1, "'in'");
    assertSyntaxError("{% break %}", 1, "outside of a loop");
    assertSyntaxError("{% for x in y recursive %}{% endfor %}", 1, "recursive");
    assertSyntaxError("{{ f(a=1, 2) }}", 1, "named argument");
    assertSyntaxError("{{ f(a=1, a=2) }}", 1, "twice");
    assertSyntaxError("{{ f(*a) }}", 1, "'*'");
    assertSyntaxError("{% macro f(a=1, b) %}{% endmacro %}", 1, "'b'");
    assertSyntaxError("{{ a is b is c }}", 1, "chained");
    assertSyntaxError("{% set 1 = 2 %}", 1, "'1'");
    assertSyntaxError("{% if a", 1, "end of the template");
  }
}
