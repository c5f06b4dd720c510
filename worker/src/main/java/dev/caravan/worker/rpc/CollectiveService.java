package dev.caravan.worker.rpc;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeMethod;
import dev.caravan.proto.wire.FramePool;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;

/** Accepts the exchange streams that other workers dial. Thread-safe. */
public final class CollectiveService implements BindableService {
  private final PeerRegistry registry;
  private final FramePool pool;
  private final StepLoop loop;

  /**
   * @param loop that moves the frames of the server
   */
  public CollectiveService(PeerRegistry registry, FramePool pool, StepLoop loop) {
    this.registry = registry;
    this.pool = pool;
    this.loop = loop;
  }

  @Override
  public ServerServiceDefinition bindService() {
    MethodDescriptor<ExchangeFrame, ExchangeFrame> method = ExchangeMethod.create(pool);
    ServiceDescriptor descriptor =
        ServiceDescriptor.newBuilder(ExchangeMethod.SERVICE).addMethod(method).build();
    return ServerServiceDefinition.builder(descriptor)
        .addMethod(method, ServerCalls.asyncBidiStreamingCall(this::exchange))
        .build();
  }

  private StreamObserver<ExchangeFrame> exchange(StreamObserver<ExchangeFrame> responses) {
    ServerCallStreamObserver<ExchangeFrame> outbound =
        (ServerCallStreamObserver<ExchangeFrame>) responses;
    return ExchangeStream.accepted(
        pool,
        loop,
        outbound,
        (stream, hello) -> {
          registry.offer(hello.header(), stream);
          stream.release(hello);
        });
  }
}
