package dev.caravan.coordinator.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SamplingParametersTest {

  private static void assertInvalid(ThrowingCallable call, String... parts) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(e.getMessage()).contains(parts);
            });
  }

  @Test
  void refusesWhatIsOutOfRangeWithNameAndValue() {
    assertInvalid(() -> new SamplingParameters(-0.1, 0, 1, 0, 1, 0), "temperature", "-0.1");
    assertInvalid(() -> new SamplingParameters(Double.NaN, 0, 1, 0, 1, 0), "temperature", "NaN");
    assertInvalid(() -> new SamplingParameters(101, 0, 1, 0, 1, 0), "temperature", "0..100");
    assertInvalid(() -> new SamplingParameters(1, -1, 1, 0, 1, 0), "top_k", "-1");
    assertInvalid(() -> new SamplingParameters(1, 0, 0, 0, 1, 0), "top_p", "0.0");
    assertInvalid(() -> new SamplingParameters(1, 0, 1.01, 0, 1, 0), "top_p", "1.01");
    assertInvalid(() -> new SamplingParameters(1, 0, 1, 1.5, 1, 0), "min_p", "1.5");
    assertInvalid(() -> new SamplingParameters(1, 0, 1, 0, 0, 0), "repetition_penalty", "0.0");
    assertInvalid(
        () -> new SamplingParameters(1, 0, 1, 0, Double.POSITIVE_INFINITY, 0),
        "repetition_penalty",
        "Infinity");
  }

  @Test
  void acceptsTheEdges() {
    assertThat(new SamplingParameters(100, 0, 1e-9, 1, 100, Long.MIN_VALUE).topP()).isEqualTo(1e-9);
    assertThat(SamplingParameters.greedy().temperature()).isZero();
  }

  @Test
  void refusesAdjustmentsOutOfRangeWithNameAndValue() {
    assertInvalid(() -> new LogitAdjustments(2.1, 0, Map.of()), "presence_penalty", "2.1", "-2..2");
    assertInvalid(() -> new LogitAdjustments(0, -3, Map.of()), "frequency_penalty", "-3.0");
    assertInvalid(() -> new LogitAdjustments(0, Double.NaN, Map.of()), "frequency_penalty", "NaN");
    assertInvalid(
        () -> new LogitAdjustments(0, 0, Map.of(7, 101.0)),
        "logit_bias of token 7",
        "101.0",
        "-100..100");
  }
}
