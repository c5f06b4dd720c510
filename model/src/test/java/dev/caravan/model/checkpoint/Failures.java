package dev.caravan.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Checks that an action fails as an operating error whose message says what is wrong and where. */
final class Failures {
  private Failures() {}

  static void assertCorrupt(ThrowingCallable action, String... parts) {
    assertFails(ErrorCode.CHECKPOINT_CORRUPT, action, parts);
  }

  static void assertInvalid(ThrowingCallable action, String... parts) {
    assertFails(ErrorCode.INVALID_REQUEST, action, parts);
  }

  private static void assertFails(ErrorCode code, ThrowingCallable action, String... parts) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).as(e.getMessage()).isEqualTo(code))
        .hasMessageContainingAll(parts);
  }
}
