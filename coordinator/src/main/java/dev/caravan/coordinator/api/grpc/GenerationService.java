package dev.caravan.coordinator.api.grpc;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.caravan.coordinator.api.ApiException;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.api.text.Choices;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.generation.v1.GenerateRequest;
import dev.caravan.proto.generation.v1.GenerateResponse;
import dev.caravan.proto.generation.v1.GenerationServiceGrpc;
import dev.caravan.proto.wire.ErrorCodec;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;

/** Serves generations over gRPC. Immutable. */
final class GenerationService extends GenerationServiceGrpc.GenerationServiceImplBase {
  private static final String CALLERS_DEADLINE = "grpc-timeout";

  private final Serving serving;
  private final Duration timeout;

  /**
   * @param timeout most time of one generation, waiting included
   */
  GenerationService(Serving serving, Duration timeout) {
    this.serving = serving;
    this.timeout = timeout;
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
    ServiceRequestContext context = ServiceRequestContext.current();
    if (!context.request().headers().contains(CALLERS_DEADLINE)) {
      // The time limit was for the request to arrive; the engine bounds the rest.
      context.clearRequestTimeout();
    }
    ServerCallStreamObserver<GenerateResponse> call =
        (ServerCallStreamObserver<GenerateResponse>) observer;
    GenerationReply reply = new GenerationReply(call);
    Choices choices = new Choices(reply);
    call.setOnCancelHandler(choices::cancel);
    try {
      Serving.Loaded loaded = serving.loaded();
      choices.start(
          loaded.engine(), List.of(GenerationCodec.decode(request, loaded.model(), timeout)));
    } catch (ClusterException e) {
      call.onError(ErrorCodec.toStatus(e));
    } catch (ApiException e) {
      call.onError(
          ErrorCodec.toStatus(
              new ClusterException(ErrorCode.INVALID_REQUEST, e.error().message(), e)));
    }
  }
}
