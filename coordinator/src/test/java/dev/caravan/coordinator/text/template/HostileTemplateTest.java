package dev.caravan.coordinator.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that try to run long, to fill the memory or to overflow the stack. */
class HostileTemplateTest {
  /** Less than any thread has that renders. */
  private static final long STACK_BYTES = 512 << 10;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
        "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = [n.l] %}{% endfor %}",
        "{% set n = namespace(l=[1]) %}{% for i in range(90) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}",
        "{% set n = namespace(l=[1]) %}{% for i in range(90) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l|tojson }}",
        "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(90) %}{% set n.a = [n.a, n.a] %}"
            + "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
        "{% set n = namespace(d={'a': 1}) %}{% for i in range(999) %}{% set n.d = {'a': n.d} %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{{ 'x' * 999999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ 9 ** 9 ** 9 ** 9 ** 9 }}",
        "{{ range(999999999) }}",
        "{{ '%s'|indent(999999999, true) }}",
        "{{ [1]|tojson(indent=999999999) }}",
        "{{ 'x'.zfill(999999999) }}",
        "{% set s = 'ab' * 999999 %}{% for i in range(99999) %}{{ s.find('ab' * 99999 ~ 'c') }}{% endfor %}",
        "{% set s = 'a' * 999999 %}{{ s|replace('a', s) }}",
        "{% set s = 'a' * 999999 %}{{ s.replace('', 'aaaaaaaaaaaa') }}",
        "{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{{ s.upper()|length }}{% endfor %}",
        "{{ 'a'|map('map', 'map', 'map')|list }}{% for c in 'a' * 4000000 %}{% endfor %}",
        "{% for a in range(99999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}"
      })
  void endInAnError(String template) {
    ClusterException error = onSmallStack(() -> Rendered.of(template));
    assertThat(error.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(error).hasMessageContaining("line 1:");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ %s1 }}|(",
        "{{ %s1 }}|[",
        "{{ %s1 }}|{1:",
        "{{ %s1 }}|-",
        "{{ %s1 }}|not ",
        "%s|{% if 1 %}",
        "%s|{% for a in b %}",
        "{{ %s1 }}|f(",
        "{{ %s1 }}|1 if 1 else ",
        "%s|{% set x %}",
        "{% set %sx = 1 %}|(",
        "{{ a%s }}|[a",
        "{{ %s1 }}|a is "
      })
  void areRefusedWhenNestedTooDeep(String shape) {
    String[] parts = shape.split("\\|", 2);
    String template = parts[0].replace("%s", parts[1].repeat(50_000));
    assertThat(onSmallStack(() -> Rendered.of(template)).code())
        .isEqualTo(ErrorCode.CHECKPOINT_CORRUPT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1 + ", "a|d(1)|trim ~ ", "a and ", "a if ", "1 == 2 or ", "a.", "1 * "})
  void mayBeLongAsLongAsTheyAreNotDeep(String link) {
    Runnable render = () -> Rendered.of("{{ " + link.repeat(20_000) + "a }}");
    ClusterException error = onSmallStackOrNull(render);
    if (error != null) {
      assertThat(error.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    }
  }

  @Test
  void mayBeAsDeepAsTheLimitOnASmallStack() {
    String deep = "{{ " + "[".repeat(70) + "]".repeat(70) + "|tojson }}";
    assertThat(onSmallStackOrNull(() -> Rendered.of(deep))).isNull();
    String macros = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(30) }}";
    assertThat(onSmallStackOrNull(() -> Rendered.of(macros))).isNull();
  }

  @Test
  void areRefusedWhenTooLong() {
    assertThat(Rendered.failure("x".repeat((1 << 20) + 1)).code())
        .isEqualTo(ErrorCode.CHECKPOINT_CORRUPT);
  }

  @Test
  void seeNothingOfTheirSurroundings() {
    assertThat(
            Rendered.of(
                "{{ ''.getClass }}{{ x.class }}{{ ''.__class__ }}{{ [].stream }}", "{\"x\":1}"))
        .isEmpty();
    assertThat(Rendered.failure("{{ ''.__class__.__mro__ }}").code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }

  @Test
  void inputDeeperThanValuesCanBeIsRefused() {
    String deep = "[".repeat(200) + "]".repeat(200);
    assertThat(Rendered.failure("{{ x }}", "{\"x\":" + deep + "}"))
        .hasMessageContaining("nested deeper");
  }

  private static ClusterException onSmallStack(Runnable render) {
    ClusterException error = onSmallStackOrNull(render);
    if (error == null) {
      throw new AssertionError("it was rendered");
    }
    return error;
  }

  private static ClusterException onSmallStackOrNull(Runnable render) {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread = new Thread(null, render, "small-stack", STACK_BYTES);
    thread.setUncaughtExceptionHandler((at, error) -> thrown.set(error));
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    if (thrown.get() == null || thrown.get() instanceof ClusterException) {
      return (ClusterException) thrown.get();
    }
    throw new AssertionError(thrown.get());
  }
}
