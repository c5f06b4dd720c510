package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.util.ThreadFactories;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The thread that accepts connections. Stops at once: by default it would idle for two seconds
 * first, in case more work comes, and so would every server that ends.
 */
final class Acceptor extends MultiThreadIoEventLoopGroup {
  private static final int STOP_SECONDS = 2;

  Acceptor(String threadName) {
    super(
        1, ThreadFactories.newEventLoopThreadFactory(threadName, false), NioIoHandler.newFactory());
  }

  @Override
  public Future<?> shutdownGracefully() {
    return shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS);
  }
}
