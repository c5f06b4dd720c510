package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.generation.v1.Conversation;
import dev.caravan.proto.generation.v1.FinishReason;
import dev.caravan.proto.generation.v1.GenerateRequest;
import dev.caravan.proto.generation.v1.GenerateResponse;
import dev.caravan.proto.generation.v1.GenerationEnd;
import dev.caravan.proto.generation.v1.GenerationServiceGrpc;
import dev.caravan.proto.generation.v1.Message;
import dev.caravan.proto.generation.v1.Sampling;
import dev.caravan.proto.generation.v1.TokenIds;
import dev.caravan.proto.wire.ErrorCodec;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Generations over gRPC, on the port of the HTTP server. */
@Timeout(60)
final class GenerationServiceTest {
  private TestApi api;
  private ManagedChannel channel;
  private GenerationServiceGrpc.GenerationServiceBlockingStub stub;

  @BeforeEach
  void start() {
    api = TestApi.answering("Hellö STOP");
    channel = NettyChannelBuilder.forAddress("127.0.0.1", api.port()).usePlaintext().build();
    stub = GenerationServiceGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    api.close();
  }

  @Test
  void continuesATextUpToAStopText() {
    Iterator<GenerateResponse> answer =
        stub.generate(GenerateRequest.newBuilder().setText("hi").addStop(" STOP").build());
    StringBuilder text = new StringBuilder();
    GenerateResponse last = answer.next();
    for (; last.hasText(); last = answer.next()) {
      text.append(last.getText());
    }
    assertThat(text.toString()).isEqualTo("Hellö");
    assertThat(last.getEnd())
        .isEqualTo(
            GenerationEnd.newBuilder()
                .setFinishReason(FinishReason.FINISH_REASON_STOP)
                .setPromptTokens(3)
                .setCachedTokens(ScriptedEngine.CACHED_TOKENS)
                .setCompletionTokens(11)
                .build());
    assertThat(answer.hasNext()).isFalse();
  }

  @Test
  void promptsAreIdsAndConversationsToo() {
    stub.generate(
            GenerateRequest.newBuilder()
                .setIds(TokenIds.newBuilder().addIds(97).addIds(98))
                .setMaxTokens(1)
                .build())
        .forEachRemaining(_ -> {});
    assertThat(api.engine.requests().getLast().prompt()).containsExactly(97, 98);
    stub.generate(
            GenerateRequest.newBuilder()
                .setConversation(
                    Conversation.newBuilder()
                        .addMessages(Message.newBuilder().setRole("user").setContent("hi")))
                .build())
        .forEachRemaining(_ -> {});
    assertThat(api.engine.requests().getLast().prompt()).hasSize(22);
  }

  @Test
  void refusalsCarryTheirCode() {
    GenerateRequest hot =
        GenerateRequest.newBuilder()
            .setText("hi")
            .setSampling(Sampling.newBuilder().setTemperature(-1))
            .build();
    assertRefused(hot, ErrorCode.INVALID_REQUEST, "temperature");
    assertRefused(GenerateRequest.getDefaultInstance(), ErrorCode.INVALID_REQUEST, "prompt");
    GenerateRequest other = GenerateRequest.newBuilder().setModel("other").setText("hi").build();
    assertRefused(other, ErrorCode.INVALID_REQUEST, "other");
    GenerateRequest endless =
        GenerateRequest.newBuilder().setText("hi").addStop("x".repeat(1025)).build();
    assertRefused(endless, ErrorCode.INVALID_REQUEST, "stop has a text of 1025 characters");
    GenerateRequest empty = GenerateRequest.newBuilder().setText("hi").addStop("").build();
    assertRefused(empty, ErrorCode.INVALID_REQUEST, "stop has a text of 0 characters");
    api.serving.drain();
    assertRefused(other, ErrorCode.MODEL_NOT_READY, "shutting down");
  }

  @Test
  void cancelledCallCancelsItsGeneration() throws InterruptedException {
    api.engine.allow(2);
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(() -> {
      Iterator<GenerateResponse> answer =
          stub.generate(GenerateRequest.newBuilder().setText("hi").build());
      assertThat(answer.next().getText()).isEqualTo("H");
    });
    context.close();
    api.engine.awaitCancelled(1);
  }

  private void assertRefused(GenerateRequest request, ErrorCode code, String what) {
    Throwable error = catchThrowable(() -> stub.generate(request).forEachRemaining(_ -> {}));
    assertThat(ErrorCodec.fromStatus(error)).as("%s", error).isNotNull();
    assertThat(ErrorCodec.fromStatus(error).code()).isEqualTo(code);
    assertThat(error).hasMessageContaining(what);
  }
}
