package dev.caravan.coordinator.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ErrorCode;
import org.junit.jupiter.api.Test;

/** All expected texts are those of Python's jinja2 3.1.6 with trim_blocks and lstrip_blocks. */
class LexerTest {
  @Test
  void dropsTheLineBreakAfterABlockAndTheIndentationBeforeIt() {
    assertThat(Rendered.of("   {% if true %}\n   in\n   {% endif %}\nafter\n\n"))
        .isEqualTo("   in\nafter\n");
    assertThat(Rendered.of("a{% if true %}\nb\n{% endif %}c\n\n")).isEqualTo("ab\nc\n");
  }

  @Test
  void keepsWhiteSpaceAroundOutputs() {
    assertThat(Rendered.of(" {{ 1 }}\n  {{ 2 }}\n")).isEqualTo(" 1\n  2");
    assertThat(Rendered.of("{{ 1 }}  {% if true %} a{% endif %}")).isEqualTo("1   a");
  }

  @Test
  void takesAllWhiteSpaceBesideAMinusAndKeepsItBesideAPlus() {
    assertThat(Rendered.of("a \n {{- 1 -}} \n b")).isEqualTo("a1b");
    assertThat(Rendered.of("\t{%+ if true %}p{% endif +%}\n\nx")).isEqualTo("\tp\n\nx");
    assertThat(Rendered.of("{{-1}}{{- 1 }}{{ -1 }}")).isEqualTo("11-1");
  }

  @Test
  void skipsComments() {
    assertThat(Rendered.of("{# a #}\nx {#- b -#} y\n  {# c #} z")).isEqualTo("xy\n z");
  }

  @Test
  void leavesRawTextAlone() {
    assertThat(Rendered.of("{% raw %}{{ x }}{% y %}{% endraw %}|{%- raw -%} a {%- endraw -%} b"))
        .isEqualTo("{{ x }}{% y %}|ab");
  }

  @Test
  void readsAllKindsOfLineBreaksAsOne() {
    assertThat(Rendered.of("{% if true %}\r\nwin\r\n{% endif %}\rmac")).isEqualTo("win\nmac");
  }

  @Test
  void decodesEscapesAsPython() {
    assertThat(Rendered.of("{{ '\\n\\t\\\\\\'\\\"\\x41\\u00e9\\101\\q' }}{{ \"it's\" 'x' }}"))
        .isEqualTo("\n\t\\'\"AéA\\qit'sx");
  }

  @Test
  void readsNumbersAsPython() {
    assertThat(Rendered.of("{{ 1_000 }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e3 }} {{ 1e3 }}"))
        .isEqualTo("1000 31 3 15 1500.0 1000.0");
  }

  @Test
  void endsATagOnlyOutsideOfBrackets() {
    assertThat(Rendered.of("{{ {'a': {'b': 1}}.a.b }}{{ '}}' }}")).isEqualTo("1}}");
  }

  @Test
  void namesTheLineOfWhatItCannotRead() {
    assertSyntaxError("a\n\n{{ 'x }}", 3, "string");
    assertSyntaxError("\n{# x", 2, "comment");
    assertSyntaxError("{% raw %}\n", 1, "endraw");
    assertSyntaxError("\n{{ a ? b }}", 2, "'?'");
    assertSyntaxError("{{ (1] }}", 1, "']'");
    assertSyntaxError("{{ '\\x4' }}", 1, "hexadecimal");
    assertSyntaxError("{{ 007 }}", 1, "'007'");
    assertSyntaxError("{{ 0x }}", 1, "'0x'");
  }

  static void assertSyntaxError(String template, int line, String part) {
    assertThat(Rendered.failure(template))
        .hasMessageContaining("line " + line + ":")
        .hasMessageContaining(part)
        .returns(ErrorCode.CHECKPOINT_CORRUPT, e -> e.code());
  }
}
