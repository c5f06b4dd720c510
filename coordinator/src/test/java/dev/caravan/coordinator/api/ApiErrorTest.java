package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every error of the cluster and its HTTP status. */
final class ApiErrorTest {
  private static final Map<ErrorCode, Integer> STATUS = new EnumMap<>(ErrorCode.class);

  static {
    STATUS.put(ErrorCode.INVALID_REQUEST, 400);
    STATUS.put(ErrorCode.CONTEXT_TOO_LONG, 400);
    STATUS.put(ErrorCode.OVERLOADED, 429);
    STATUS.put(ErrorCode.MODEL_NOT_READY, 503);
    STATUS.put(ErrorCode.UNPLACEABLE, 503);
    STATUS.put(ErrorCode.WORKER_LOST, 503);
    STATUS.put(ErrorCode.STALE_EPOCH, 503);
    STATUS.put(ErrorCode.DEADLINE_EXCEEDED, 504);
    STATUS.put(ErrorCode.CANCELLED, 499);
    STATUS.put(ErrorCode.CHECKPOINT_CORRUPT, 500);
    STATUS.put(ErrorCode.INCOMPATIBLE, 503);
    STATUS.put(ErrorCode.INTERNAL, 500);
  }

  @Test
  void everyErrorHasItsStatusAndSaysWhatItIs() {
    for (ErrorCode code : ErrorCode.values()) {
      ApiError error = ApiError.of(new ClusterException(code, "what happened"));
      assertThat(error.status()).as(code.name()).isEqualTo(STATUS.get(code));
      assertThat(error.json().at("/error/message").textValue()).isEqualTo("what happened");
      assertThat(error.json().at("/error/type").textValue()).endsWith("_error");
      assertThat(error.json().at("/error/code").textValue()).isNotEmpty();
    }
  }

  @Test
  void onlyWhatMayPassIsToBeTriedAgain() {
    for (ErrorCode code : ErrorCode.values()) {
      ApiError error = ApiError.of(new ClusterException(code, "what happened"));
      assertThat(Replies.error(error).headers().contains("retry-after"))
          .as(code.name())
          .isEqualTo(STATUS.get(code) == 429 || STATUS.get(code) == 503);
    }
  }

  @Test
  void clientsKnowATooLongPromptByOpenAisCode() {
    assertThat(ApiError.of(new ClusterException(ErrorCode.CONTEXT_TOO_LONG, "long")).code())
        .isEqualTo("context_length_exceeded");
  }
}
