package dev.caravan.coordinator.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** Random templates: each either renders or fails with a {@link ClusterException}. */
class TemplateFuzzTest {
  private static final String VARIABLES =
      """
      {"n": -3, "f": 2.5, "s": " a🦙b ", "l": [3, 1, "x"], "d": {"a": {"b": [1]}, "items": null},
      "t": true, "no": null, "msgs": [{"role": "user", "content": "hi"}], "big": 123456789012345678901}
      """;

  private static final List<String> PIECES =
      List.of(
          "{{ ",
          " }}",
          "{% ",
          " %}",
          "{%- ",
          " -%}",
          "{#",
          "#}",
          "if ",
          "else",
          "endif",
          "elif ",
          "for x in ",
          "endfor",
          "set x = ",
          "set ",
          "endset",
          "macro f(a) ",
          "endmacro",
          "raw",
          "endraw",
          "break",
          "generation",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          "'",
          "\"",
          "|",
          ".",
          ",",
          ":",
          "~",
          "+",
          "-",
          "*",
          "/",
          "//",
          "%",
          "**",
          "==",
          "<",
          " in ",
          " not ",
          " and ",
          " is ",
          "n",
          "f",
          "s",
          "l",
          "d",
          "no",
          "msgs",
          "big",
          "x",
          "loop",
          "namespace(a=1)",
          "range(3)",
          "1",
          "0",
          "1e309",
          "0x",
          "\\",
          "\n",
          " ",
          "🦙",
          "\u0000",
          "é",
          "defined",
          "none",
          "tojson",
          "length",
          "trim",
          "join",
          "map('",
          "sort",
          "items",
          "f(1)",
          "items()",
          "split(",
          "=");

  private static final List<String> ATOMS =
      List.of(
          "n",
          "f",
          "s",
          "l",
          "d",
          "t",
          "no",
          "msgs",
          "big",
          "nope",
          "1",
          "0",
          "-1",
          "2.5",
          "'a'",
          "''",
          "none",
          "[1, 'b']",
          "{'a': 1}",
          "(1, 2)",
          "range(3)",
          "namespace(a=1)",
          "dict(a=l)",
          "d.a",
          "msgs[0]",
          "1e308",
          "namespace",
          "range");

  private static final List<String> ENDINGS =
      List.of(
          "|length",
          "|upper",
          "|trim('a')",
          "|list",
          "|first",
          "|last",
          "|string",
          "|int",
          "|int(base=99)",
          "|float",
          "|tojson",
          "|tojson(indent=n)",
          "|join(',')",
          "|default('q')",
          "|sort",
          "|sort(attribute='a')",
          "|reverse",
          "|unique|list",
          "|sum",
          "|max",
          "|min",
          "|items",
          "|abs",
          "|round",
          "|round(n)",
          "|round(f)",
          "|title",
          "|replace('a', 'b')",
          "|indent(n)",
          "|map('string')|list",
          "|map(attribute='a.b')|list",
          "|select('string')",
          "|reject('odd')",
          "|selectattr('role', 'in', s)",
          "|dictsort",
          "[n]",
          "[-1]",
          "[1:]",
          "[::n]",
          "[:big]",
          ".role",
          "['items']",
          ".items()",
          ".split(s)",
          ".split()",
          ".get(n)",
          ".strip(s)",
          ".zfill(9)",
          ".index(1)",
          ".count('')",
          ".replace('', s)",
          ".find(s)",
          ".partition(s)",
          "(1)",
          "()",
          " is divisibleby n",
          " is mapping",
          " is sameas s",
          " is in l",
          " is even",
          ".keys",
          ".title()",
          ".rsplit(s, n)",
          ".join(l)");

  private static final List<String> OPERATORS =
      List.of(
          " + ",
          " - ",
          " * ",
          " / ",
          " // ",
          " % ",
          " ** ",
          " ~ ",
          " == ",
          " < ",
          " >= ",
          " in ",
          " not in ",
          " and ",
          " or ",
          " if t else ",
          ", ");

  @Property(tries = 3000, shrinking = ShrinkingMode.OFF)
  void anyPieces(@ForAll("pieces") String template) {
    check(template);
  }

  @Property(tries = 3000, shrinking = ShrinkingMode.OFF)
  void anyText(@ForAll String text) {
    check("{{" + text + "}}");
    check("{%" + text);
  }

  @Property(tries = 5000, shrinking = ShrinkingMode.OFF)
  void anyExpressions(@ForAll("expressions") String expression) {
    check("{{ " + expression + " }}");
    check("{% for x in " + expression + " %}{{ loop.changed(x) }}{{ x }}{% endfor %}");
  }

  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.of(PIECES).list().ofMaxSize(40).map(list -> String.join("", list));
  }

  @Provide
  Arbitrary<String> expressions() {
    return Arbitraries.recursive(
        () -> Arbitraries.of(ATOMS),
        inner ->
            Combinators.combine(
                    inner,
                    Arbitraries.of(ENDINGS),
                    Arbitraries.of(OPERATORS),
                    Arbitraries.of(ATOMS))
                .as((left, ending, operator, atom) -> "(" + left + ending + operator + atom + ")"),
        0,
        5);
  }

  private static void check(String template) {
    try {
      assertThat(Rendered.of(template, VARIABLES)).isNotNull();
    } catch (ClusterException e) {
      assertThat(e.code()).isIn(ErrorCode.INVALID_REQUEST, ErrorCode.CHECKPOINT_CORRUPT);
      assertThat(e).hasMessageContaining("chat template, line");
    }
  }
}
