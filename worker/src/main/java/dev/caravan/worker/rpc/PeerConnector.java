package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeMethod;
import dev.caravan.proto.wire.FramePool;
import dev.caravan.worker.collective.IoDriver;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerId;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connects a worker with its peers: of two ranks of a stage the lower one dials, and every stage
 * dials the next one. Thread-safe.
 */
public final class PeerConnector {
  private final PeerRegistry registry;
  private final FramePool pool;
  private final StepLoop loop;
  private final MethodDescriptor<ExchangeFrame, ExchangeFrame> method;

  /**
   * @param registry that the worker's own {@link CollectiveService} fills
   * @param loop that moves the frames of all channels
   */
  public PeerConnector(PeerRegistry registry, FramePool pool, StepLoop loop) {
    this.registry = registry;
    this.pool = pool;
    this.loop = loop;
    this.method = ExchangeMethod.create(pool);
  }

  private final List<Dialled> waiting = new CopyOnWriteArrayList<>();

  private record Dialled(PeerId peer, ExchangeStream stream, ManagedChannel channel) {}

  /** Who moves the frames of the channels. */
  IoDriver io() {
    return loop;
  }

  /** Ends all earlier epochs: whoever connects in one of them fails at once. */
  void enter(int epoch) {
    registry.enterEpoch(epoch);
    waiting.forEach(peer -> hangUp(peer, "a later epoch has begun"));
  }

  /**
   * Checks that no later epoch was entered.
   *
   * @throws ClusterException STALE_EPOCH if one was
   */
  void checkCurrent(int epoch) {
    registry.checkCurrent(epoch);
  }

  /**
   * Connects with all neighbours in the grid; returns when every one has answered.
   *
   * @throws ClusterException WORKER_LOST naming the first peer that is not there in time,
   *     STALE_EPOCH if a later epoch is entered meanwhile
   * @throws IllegalStateException on the loop's thread, which has to move the frames meanwhile
   */
  public ConnectedPeers connect(ExchangeGrid grid, long deadlineMillis) {
    if (loop.needsCaller()) {
      throw new IllegalStateException("the loop's thread would wait for itself");
    }
    long start = System.nanoTime();
    ExchangeHeader self = ExchangeHeader.hello(grid.stage(), grid.rank(), grid.epoch());
    registry.enterEpoch(grid.epoch());
    List<Dialled> dialled = new ArrayList<>();
    List<PeerChannel> open = new ArrayList<>();
    try {
      // First dial all, then answer all, then wait for answers: nobody waits in a circle.
      for (int rank = grid.rank() + 1; rank < grid.ranks(); rank++) {
        dialled.add(dial(self, grid.member(grid.stage(), rank)));
      }
      boolean last = grid.stage() == grid.stages() - 1;
      if (!last) {
        dialled.add(dial(self, grid.member(grid.stage() + 1, grid.rank())));
      }
      waiting.addAll(dialled);
      checkCurrent(grid.epoch()); // enter() may not have seen those dialled
      for (int rank = 0; rank < grid.rank(); rank++) {
        PeerId peer = grid.member(grid.stage(), rank).id();
        open.add(registry.await(self, peer, left(start, deadlineMillis)));
      }
      PeerChannel previous = null;
      if (grid.stage() > 0) {
        PeerId peer = grid.member(grid.stage() - 1, grid.rank()).id();
        previous = registry.await(self, peer, left(start, deadlineMillis));
        open.add(previous);
      }
      for (Dialled peer : dialled) {
        open.add(answered(peer, grid.epoch(), left(start, deadlineMillis)));
      }
      return new ConnectedPeers(
          grid.stage(), grid.rank(), ranksOf(open, grid.stage()), previous, nextOf(open, grid));
    } catch (RuntimeException e) {
      open.forEach(PeerChannel::close);
      dialled.forEach(peer -> hangUp(peer, "connecting failed"));
      throw e;
    } finally {
      waiting.removeAll(dialled);
    }
  }

  private static List<PeerChannel> ranksOf(List<PeerChannel> open, int stage) {
    return open.stream().filter(channel -> channel.peer().stage() == stage).toList();
  }

  private static @Nullable PeerChannel nextOf(List<PeerChannel> open, ExchangeGrid grid) {
    PeerChannel last = open.isEmpty() ? null : open.getLast();
    return last != null && last.peer().stage() == grid.stage() + 1 ? last : null;
  }

  private Dialled dial(ExchangeHeader self, ExchangeGrid.Member member) {
    ManagedChannel channel = ExchangeTransport.channel(member.host(), member.port(), loop);
    ExchangeStream stream = ExchangeStream.dialled(pool, loop);
    // A peer that is still starting is waited for, up to the deadline of connect.
    CallOptions options =
        CallOptions.DEFAULT.withWaitForReady().withOnReadyThreshold(ExchangeTransport.READY_BYTES);
    ClientCalls.asyncBidiStreamingCall(channel.newCall(method, options), stream);
    ExchangeFrame hello = new ExchangeFrame(0);
    hello.start(self);
    stream.sendHello(hello);
    return new Dialled(member.id(), stream, channel);
  }

  private PeerChannel answered(Dialled peer, int epoch, long timeoutMillis) {
    ExchangeFrame answer;
    try {
      answer = peer.stream().poll(TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
    } catch (ClusterException e) {
      throw new ClusterException(
          e.code(), "cannot connect to %s: %s".formatted(peer.peer(), e.getMessage()), e);
    }
    if (answer == null) {
      throw new ClusterException(
          ErrorCode.WORKER_LOST,
          "%s did not answer the hello of epoch %d within the last %d ms"
              .formatted(peer.peer(), epoch, timeoutMillis));
    }
    ExchangeHeader header = answer.header();
    peer.stream().release(answer);
    ExchangeHeader expected = ExchangeHeader.hello(peer.peer().stage(), peer.peer().rank(), epoch);
    if (!header.equals(expected)) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "%s answered %s, expected %s".formatted(peer.peer(), header, expected));
    }
    return new GrpcPeerChannel(peer.peer(), peer.stream(), () -> peer.channel().shutdownNow());
  }

  private static void hangUp(Dialled peer, String why) {
    peer.stream().fail(new ClusterException(ErrorCode.WORKER_LOST, why));
    peer.channel().shutdownNow();
  }

  private static long left(long startNanos, long deadlineMillis) {
    return Math.max(
        0, deadlineMillis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos));
  }
}
