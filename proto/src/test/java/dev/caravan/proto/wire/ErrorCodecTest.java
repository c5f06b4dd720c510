package dev.caravan.proto.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorCodecTest {
  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void everyCodeComesBackWithItsMessage(ErrorCode code) {
    StatusRuntimeException status =
        ErrorCodec.toStatus(new ClusterException(code, "what, where and 3 numbers"));
    ClusterException back = decoded(status);
    assertThat(back.code()).isEqualTo(code);
    assertThat(back).hasMessage("what, where and 3 numbers");
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void noCodeLooksLikeSuccessOrLikeAnUnknownError(ErrorCode code) {
    assertThat(ErrorCodec.statusCode(code).getCode())
        .isNotIn(Status.Code.OK, Status.Code.UNKNOWN, Status.Code.UNIMPLEMENTED);
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void onlyDefectsAreInternal(ErrorCode code) {
    boolean internal = ErrorCodec.statusCode(code).getCode() == Status.Code.INTERNAL;
    assertThat(internal).isEqualTo(code == ErrorCode.INTERNAL);
  }

  @Test
  void unexpectedErrorIsInternalAndNamesItsType() {
    ClusterException back = decoded(ErrorCodec.toStatus(new ArithmeticException("by zero")));
    assertThat(back.code()).isEqualTo(ErrorCode.INTERNAL);
    assertThat(back).hasMessageContainingAll("ArithmeticException", "by zero");
  }

  @Test
  void brokenLinkCarriesNoError() {
    assertThat(ErrorCodec.fromStatus(Status.UNAVAILABLE.asRuntimeException())).isNull();
    assertThat(ErrorCodec.fromStatus(new IllegalStateException("not a status"))).isNull();
  }

  @Test
  void codeOfANewerReleaseIsInternal() {
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("caravan-error-code", Metadata.ASCII_STRING_MARSHALLER), "FROM_THE_FUTURE");
    ClusterException back =
        decoded(Status.ABORTED.withDescription("x").asRuntimeException(trailers));
    assertThat(back.code()).isEqualTo(ErrorCode.INTERNAL);
  }

  @Test
  void statusOfAPeerIsPassedOnAsItIs() {
    StatusRuntimeException status = Status.DATA_LOSS.asRuntimeException();
    assertThat(ErrorCodec.toStatus(status)).isSameAs(status);
  }

  private static ClusterException decoded(Throwable status) {
    return Objects.requireNonNull(ErrorCodec.fromStatus(status), "no error in the status");
  }
}
