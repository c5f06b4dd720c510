package dev.caravan.coordinator.api.grpc;

import dev.caravan.coordinator.api.text.Reply;
import dev.caravan.coordinator.api.text.TextListener;
import dev.caravan.coordinator.api.text.Usage;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import dev.caravan.proto.generation.v1.FinishReason;
import dev.caravan.proto.generation.v1.GenerateResponse;
import dev.caravan.proto.generation.v1.GenerationEnd;
import dev.caravan.proto.wire.ErrorCodec;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;

/** Answers one call; a caller that does not read is cut off when too much waits for it. */
final class GenerationReply implements Reply {
  private static final int MAX_WAITING_CHARS = 128 << 10;

  private final ServerCallStreamObserver<GenerateResponse> call;
  private FinishReason finishReason = FinishReason.FINISH_REASON_UNSPECIFIED;
  private int waitingChars;
  private boolean cutOff;

  GenerationReply(ServerCallStreamObserver<GenerateResponse> call) {
    this.call = call;
  }

  @Override
  public void begin() {}

  @Override
  public void prompt(int choice, List<TokenLogprobs> prompt) {}

  @Override
  public void piece(int choice, TextListener.Piece piece) {
    waitingChars = call.isReady() ? 0 : waitingChars + piece.text().length();
    if (cutOff || call.isCancelled()) {
      return;
    }
    if (waitingChars > MAX_WAITING_CHARS) {
      cutOff = true;
      call.onError(
          Status.CANCELLED
              .withDescription(
                  "the caller does not read: %d characters wait".formatted(waitingChars))
              .asRuntimeException());
    } else {
      call.onNext(GenerateResponse.newBuilder().setText(piece.text()).build());
    }
  }

  @Override
  public void end(int choice, EndReason reason) {
    finishReason =
        switch (reason) {
          case STOP -> FinishReason.FINISH_REASON_STOP;
          case LENGTH -> FinishReason.FINISH_REASON_LENGTH;
          case CANCELLED -> FinishReason.FINISH_REASON_UNSPECIFIED;
        };
  }

  @Override
  public void done(Usage usage) {
    if (cutOff || call.isCancelled()) {
      return;
    }
    GenerationEnd end =
        GenerationEnd.newBuilder()
            .setFinishReason(finishReason)
            .setPromptTokens(usage.promptTokens())
            .setCachedTokens(usage.cachedTokens())
            .setCompletionTokens(usage.completionTokens())
            .build();
    call.onNext(GenerateResponse.newBuilder().setEnd(end).build());
    call.onCompleted();
  }

  @Override
  public void failed(ClusterException error) {
    if (!cutOff && !call.isCancelled()) {
      call.onError(ErrorCodec.toStatus(error));
    }
  }
}
