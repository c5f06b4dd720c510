package dev.caravan.worker.rpc;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeMethod;
import dev.caravan.proto.worker.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.net.SocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How workers talk to each other: Netty with epoll where its native library is present, wide flow
 * control windows, handlers on the event loop, no retries.
 */
public final class ExchangeTransport {
  /** Two of the largest frames of an all-reduce: a sender does not stall inside a frame. */
  private static final int FLOW_CONTROL_WINDOW_BYTES = 8 << 20;

  private static final String STEPS = WorkerServiceGrpc.getExecuteMethod().getFullMethodName();

  /** A stream is ready when all that was sent has left: see {@link ExchangeStream#flush}. */
  static final int READY_BYTES = 1;

  private static final int KEEP_ALIVE_SECONDS = 10;
  private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;

  private ExchangeTransport() {}

  /**
   * Starts the settings of a worker's server; port 0 picks a free one.
   *
   * <p>Streams of frames and of steps run on the event loop, where they do no more than hand over;
   * all other calls on the builder's executor.
   */
  public static NettyServerBuilder server(SocketAddress address, StepLoop loop) {
    return loop.drive(NettyServerBuilder.forAddress(address))
        .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
        .maxInboundMessageSize(ExchangeFrame.MAX_BYTES)
        .permitKeepAliveTime(KEEP_ALIVE_SECONDS / 2, TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .callExecutor(new EventLoopForStreams());
  }

  /** Returns a channel to a worker; it connects when the first call needs it. */
  static ManagedChannel channel(String host, int port, StepLoop loop) {
    return loop.drive(NettyChannelBuilder.forAddress(host, port))
        .usePlaintext()
        .directExecutor()
        // A retry would keep a sent frame, whose buffer is reused.
        .disableRetry()
        .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
        .maxInboundMessageSize(ExchangeFrame.MAX_BYTES)
        .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
        .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .build();
  }

  private static final class EventLoopForStreams implements ServerCallExecutorSupplier {

    @Override
    public <ReqT, RespT> @Nullable Executor getExecutor(
        ServerCall<ReqT, RespT> call, Metadata metadata) {
      MethodDescriptor<ReqT, RespT> method = call.getMethodDescriptor();
      boolean onlyHandsOver =
          ExchangeMethod.SERVICE.equals(method.getServiceName())
              || STEPS.equals(method.getFullMethodName());
      return onlyHandsOver ? Runnable::run : null;
    }
  }
}
