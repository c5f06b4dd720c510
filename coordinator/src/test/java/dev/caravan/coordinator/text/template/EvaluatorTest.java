package dev.caravan.coordinator.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ErrorCode;
import org.junit.jupiter.api.Test;

/** All expected texts are those of Python's jinja2 3.1.6. */
class EvaluatorTest {
  private static final String MESSAGES =
      """
      {"msgs": [{"role": "user", "content": "u1"}, {"role": "assistant", "content": "a1"},
      {"role": "user", "content": "u2"}], "d": {"b": 1, "a": [1, {"k": null}], "items": "I"}}
      """;

  @Test
  void printsValuesAsPython() {
    assertThat(Rendered.of("{{ true }} {{ none }} {{ 1.0 }} {{ 1e16 }} {{ 0.00001 }} {{ 5e-324 }}"))
        .isEqualTo("True None 1.0 1e+16 1e-05 5e-324");
    assertThat(Rendered.of("{{ x }}", "{\"x\": [\"it's\", \"\\u200b\\n\\u00e9\", \"'\\\"\", 1]}"))
        .isEqualTo("[\"it's\", '\\u200b\\né', '\\'\"', 1]");
    assertThat(Rendered.of("{{ d }}", MESSAGES))
        .isEqualTo("{'b': 1, 'a': [1, {'k': None}], 'items': 'I'}");
  }

  @Test
  void computesAsPython() {
    assertThat(
            Rendered.of("{{ -7%3 }} {{ 7//-2 }} {{ 7/2 }} {{ 2**-1 }} {{ -7.5//2 }} {{ 10**20 }}"))
        .isEqualTo("2 -4 3.5 0.5 -4.0 100000000000000000000");
    assertThat(Rendered.of("{{ 'ab' * 2 }} {{ [1] + [2] }} {{ true + 1 }} {{ 'a' ~ 1 ~ none }}"))
        .isEqualTo("abab [1, 2] 2 a1None");
  }

  @Test
  void comparesAsPython() {
    assertThat(Rendered.of("{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' == 1 }} {{ (1,) == [1] }}"))
        .isEqualTo("True True False False");
    assertThat(
            Rendered.of("{{ [1,2] < [1,3] }} {{ '\\uffff' < '\\U0001f999' }} {{ 'b' in 'abc' }}"))
        .isEqualTo("True True True");
  }

  @Test
  void countsCharactersNotUtf16Units() {
    assertThat(Rendered.of("{{ x|length }} {{ x[1] }} {{ x[::-1] }}", "{\"x\": \"a🦙é\"}"))
        .isEqualTo("3 🦙 é🦙a");
  }

  @Test
  void looksForMethodsFirstInAttributesAndForItemsFirstInSubscripts() {
    assertThat(
            Rendered.of(
                "{{ d.items()|list|length }} {{ d['items'] }} {{ d['get']('b') }}", MESSAGES))
        .isEqualTo("3 I 1");
  }

  @Test
  void printsUndefinedAsNothingAndFailsOnItsParts() {
    assertThat(
            Rendered.of("{{ x }}{{ x|length }}{% for i in x %}{% endfor %}{{ none.a }}{{ [][1] }}"))
        .isEqualTo("0");
    assertThat(Rendered.failure("\n{{ x.y }}"))
        .hasMessage("chat template, line 2: 'x' is undefined");
    assertThat(Rendered.failure("{{ x + 1 }}")).hasMessageContaining("'x' is undefined");
    assertThat(Rendered.failure("{{ x() }}")).hasMessageContaining("'x' is undefined");
  }

  @Test
  void findsNothingInAMappingByWhatIsNoKey() {
    assertThat(Rendered.of("{{ x in d }} {{ d[[1]] }} {{ d.get(x) }}", MESSAGES))
        .isEqualTo("False  None");
    assertThat(Rendered.failure("{{ {[1]: 2} }}")).hasMessageContaining("'list' cannot be a key");
  }

  @Test
  void slicesAsPython() {
    assertThat(
            Rendered.of(
                "{{ l[1:] }}{{ l[:-1] }}{{ l[::-1] }}{{ l[-9:2] }}{{ l[5:] }}",
                "{\"l\": [3, 1, 2]}"))
        .isEqualTo("[1, 2][3, 1][2, 1, 3][3, 1][]");
  }

  @Test
  void keepsVariablesOfALoopInTheLoop() {
    assertThat(
            Rendered.of(
                "{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}"))
        .isEqualTo("231");
    assertThat(Rendered.of("{% if true %}{% set y = 5 %}{% endif %}{{ y }}")).isEqualTo("5");
    assertThat(
            Rendered.of(
                "{% set n = namespace(c=0) %}{% for i in [1, 2] %}{% set n.c = n.c + i %}{% endfor %}{{ n.c }}"))
        .isEqualTo("3");
  }

  @Test
  void tellsWhereALoopIs() {
    assertThat(
            Rendered.of(
                "{% for x in [3, 1, 2] if x > 1 %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.first }}"
                    + "{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}"))
        .isEqualTo("11TrueFalse22;20FalseTrue23;");
    assertThat(Rendered.of("{% for x in [] %}a{% else %}none{% endfor %}")).isEqualTo("none");
    assertThat(
            Rendered.of(
                "{% for x in [1,1,2] %}{{ loop.cycle('a','b') }}{{ loop.changed(x) }}{% endfor %}"))
        .isEqualTo("aTruebFalseaTrue");
  }

  @Test
  void breaksAndContinuesLoops() {
    assertThat(
            Rendered.of(
                "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}"
                    + "{% endif %}{{ i }}{% endfor %}"))
        .isEqualTo("023");
  }

  @Test
  void unpacksSeveralTargets() {
    assertThat(
            Rendered.of(
                "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% for k, v in {'x': 1}|items %}{{ k }}{{ v }}{% endfor %}"))
        .isEqualTo("12x1");
    assertThat(Rendered.failure("{% set a, b = 1, 2, 3 %}")).hasMessageContaining("3 values for 2");
  }

  @Test
  void callsMacrosWithWhatTheySawWhereTheyWereDefined() {
    assertThat(
            Rendered.of(
                "{% macro m(a, b=2, c=a) %}<{{ a }}{{ b }}{{ c }}{{ late }}>{% endmacro %}"
                    + "{% set late = 5 %}{{ m(1) }}{{ m(1, c=9) }}{{ m() }}"))
        .isEqualTo("<1215><1295><25>");
    assertThat(Rendered.failure("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}"))
        .hasMessageContaining("at most 1");
  }

  @Test
  void capturesTheTextOfASetBlockAndOfAGeneration() {
    assertThat(
            Rendered.of(
                "{% set x %}a{{ 1 }}{% endset %}[{{ x }}]{% generation %}g{% endgeneration %}"))
        .isEqualTo("[a1]g");
  }

  @Test
  void givesTheMessageOfATemplateThatRefusesToTheLetter() {
    assertThat(Rendered.failure("{{ raise_exception('no ' ~ 7) }}"))
        .hasMessage("no 7")
        .returns(ErrorCode.INVALID_REQUEST, e -> e.code());
  }

  @Test
  void tellsTheDateItIsGiven() {
    assertThat(Rendered.of("{{ strftime_now('%d %b %Y %A %-d %H:%M:%S %I%p %j %y %%') }}"))
        .isEqualTo("06 Jul 2026 Monday 6 15:04:05 03PM 187 26 %");
  }

  @Test
  void changesNoInput() {
    assertThat(Rendered.failure("{{ d.update({}) }}", MESSAGES))
        .hasMessageContaining("dict.update");
    assertThat(Rendered.failure("{{ msgs.append(1) }}", MESSAGES))
        .hasMessageContaining("list.append");
    assertThat(Rendered.failure("{% set d.x = 1 %}", MESSAGES)).hasMessageContaining("namespace");
  }

  @Test
  void selectsMapsAndJoins() {
    assertThat(
            Rendered.of(
                "{{ msgs|selectattr('role', 'equalto', 'user')|map(attribute='content')|join('|') }} "
                    + "{{ msgs|rejectattr('role', 'eq', 'user')|list|length }} {{ none|map('upper')|list }}",
                MESSAGES))
        .isEqualTo("u1|u2 1 []");
    assertThat(
            Rendered.of(
                "{{ ['b','A','c']|sort }} {{ [3,1]|max }} {{ [1,2]|sum }} {{ [1,1]|unique|list }}"))
        .isEqualTo("['A', 'b', 'c'] 3 3 [1]");
  }

  @Test
  void writesJsonAsPython() {
    assertThat(
            Rendered.of(
                "{{ d|tojson }} {{ d|tojson(indent=2) }} {{ {}|tojson(indent=2) }}", MESSAGES))
        .isEqualTo(
            "{\"b\": 1, \"a\": [1, {\"k\": null}], \"items\": \"I\"} {\n  \"b\": 1,\n  \"a\": [\n"
                + "    1,\n    {\n      \"k\": null\n    }\n  ],\n  \"items\": \"I\"\n} {}");
    assertThat(Rendered.of("{{ ['é<\"\\n\\x01']|tojson }}{{ 'é🦙'|tojson(ensure_ascii=true) }}"))
        .isEqualTo("[\"é<\\\"\\n\\u0001\"]\"\\u00e9\\ud83e\\udd99\"");
    assertThat(Rendered.failure("{{ x|tojson }}")).hasMessageContaining("not JSON serializable");
  }

  @Test
  void filtersTexts() {
    assertThat(
            Rendered.of(
                "{{ ' a '|trim }}{{ 'ab'|upper }}{{ 'hello wOrld'|title }}{{ 'aXa'|replace('a', 'b', 1) }}"
                    + "{{ '3.7'|int }}{{ 2.5|round }}{{ 'q'|float }}{{ x|default('d') }}{{ ''|d('e', true) }}"))
        .isEqualTo("aABHello WorldbXa32.00.0de");
    assertThat(Rendered.of("{{ 'a\\nb\\n\\nc'|indent(2, first=true) }}"))
        .isEqualTo("  a\n  b\n\n  c");
  }

  @Test
  void callsMethodsOfTexts() {
    assertThat(
            Rendered.of(
                "{{ 'a,b,,c'.split(',') }}{{ ' a b c '.split(none, 1) }}{{ 'a.b'.partition('.') }}"
                    + "{{ 'xxaxx'.strip('x') }}{{ 'ab'.startswith(('x','a')) }}{{ 'aé🦙b'.find('b') }}"
                    + "{{ 'abc'.replace('', '-') }}{{ ','.join(['a','b']) }}{{ 'a\\nb'.splitlines() }}"))
        .isEqualTo("['a', 'b', '', 'c']['a', 'b c ']('a', '.', 'b')aTrue3-a-b-c-a,b['a', 'b']");
  }

  @Test
  void namesFiltersAndTestsThatItDoesNotHave() {
    assertThat(Rendered.failure("{{ 1|nofilter }}")).hasMessageContaining("'nofilter'");
    assertThat(Rendered.failure("{{ 1 is notest }}")).hasMessageContaining("'notest'");
    assertThat(Rendered.failure("{{ 1|upper(2) }}")).hasMessageContaining("at most 0");
    assertThat(Rendered.failure("{{ 1|round(digits=2) }}")).hasMessageContaining("digits");
  }
}
