package dev.caravan.worker.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.FrameInbox;
import dev.caravan.worker.collective.Ranks;
import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.tensor.Activations;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StepLoopTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  void runsStepsInOrderOnOneThread() {
    List<Integer> ran = new ArrayList<>();
    try (StepLoop loop = new StepLoop()) {
      for (int i = 0; i < 100; i++) {
        int step = i;
        loop.execute(() -> ran.add(step));
      }
      assertThat(loop.<Boolean>call(loop::needsCaller, SOON)).isTrue();
    }
    assertThat(ran).hasSize(100).isSorted();
  }

  @Test
  void doesNotSleepOverAStepThatComesWhileItFallsAsleep() {
    try (StepLoop loop = new StepLoop()) {
      long slowest = 0;
      for (int i = 0; i < 50_000; i++) {
        long start = System.nanoTime();
        loop.call(() -> null, SOON);
        slowest = Math.max(slowest, System.nanoTime() - start);
      }
      // A lost wake-up costs a whole idle second.
      assertThat(slowest).isLessThan(TimeUnit.MILLISECONDS.toNanos(900));
    }
  }

  @Test
  void failsAWaitingStepWhenAnotherThreadEndsItsInbox() throws Exception {
    try (StepLoop loop = new StepLoop()) {
      for (int i = 0; i < 200; i++) {
        FrameInbox inbox = new FrameInbox(1, loop);
        ClusterException lost = new ClusterException(ErrorCode.WORKER_LOST, "gone");
        CountDownLatch waiting = new CountDownLatch(1);
        Thread other =
            Thread.ofPlatform()
                .start(() -> {
                  await(waiting);
                  inbox.fail(lost);
                });
        long start = System.nanoTime();
        assertThatThrownBy(() ->
                loop.call(
                    () -> {
                      waiting.countDown();
                      return inbox.poll(TimeUnit.SECONDS.toNanos(10));
                    },
                    SOON))
            .isSameAs(lost);
        assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(5));
        other.join();
      }
    }
  }

  /** A frame that no socket holds must not wait until the sender has nothing more to compute. */
  @Test
  void goesOnOnlyWhenItsFramesHaveLeft() throws Exception {
    int columns = 1 << 20;
    ExchangeSettings settings = new ExchangeSettings(3, PayloadType.F32, 20_000);
    CountDownLatch received = new CountDownLatch(1);
    try (ExchangeNodes exchange = new ExchangeNodes()) {
      exchange.connect(3, 2, 1);
      exchange.runAll(
          2,
          stage -> {
            try (Arena arena = Arena.ofConfined()) {
              Activations x = new Activations(arena, 1, columns);
              StageLink link = exchange.connected.get(stage).stageLink(settings);
              if (stage == 0) {
                link.send(1, x, 1);
                await(received); // computes, as it were
              } else {
                Thread.sleep(300);
                link.receive(1, x, 1);
                received.countDown();
              }
            }
          });
    }
  }

  /** Frames larger than what sockets hold pass although all ranks only compute. */
  @Test
  void movesWhatIsInFlightWhileNobodyWaits() throws Exception {
    int ranks = 2;
    int rows = 3;
    int columns = 1 << 20;
    try (ExchangeNodes exchange = new ExchangeNodes()) {
      exchange.connect(3, 1, ranks);
      AtomicInteger there = new AtomicInteger();
      exchange.runAll(
          ranks,
          rank -> {
            try (Arena arena = Arena.ofConfined()) {
              Activations x = new Activations(arena, rows, columns);
              Activations y = new Activations(arena, rows, columns);
              x.set(rows - 1, columns - 1, 1 + rank);
              y.set(rows - 1, columns - 1, 10 + rank);
              Collective collective =
                  StepPeers.prepared(
                          exchange.connected.get(rank),
                          3,
                          ShardHostTest.settings(1),
                          false,
                          20_000,
                          exchange.nodes.get(rank).loop)
                      .collective();
              collective.start(1, 0, x, rows);
              collective.start(1, 1, y, rows);
              Ranks.until(
                  () -> x.get(rows - 1, columns - 1) == 3 && y.get(rows - 1, columns - 1) == 21,
                  collective::progress);
              there.incrementAndGet();
              Ranks.until(() -> there.get() == ranks, collective::progress);
              collective.finish();
              collective.finish();
              assertThat(collective.bytesSent()).isGreaterThan(2L * rows * columns * Float.BYTES);
            }
          });
    }
  }

  @Test
  void answersHealthChecksWhileAStepComputes() throws Exception {
    WorkerHealth health = new WorkerHealth();
    ConnectedPeers alone = new ConnectedPeers(0, 0, List.of(), null, null);
    AtomicBoolean answered = new AtomicBoolean();
    try (StepLoop loop = new StepLoop();
        StepLoop other = new StepLoop();
        Arena arena = Arena.ofShared();
        WorkerServer server =
            new WorkerServer(
                new InetSocketAddress("127.0.0.1", 0), loop, List.of(health.service()))) {
      server.start();
      Collective collective =
          StepPeers.prepared(alone, 3, ShardHostTest.settings(1), false, 20_000, loop).collective();
      Activations x = new Activations(arena, 1, 64);
      CountDownLatch ended = new CountDownLatch(1);
      loop.execute(() -> {
        while (!answered.get()) {
          collective.allReduceSum(1, 0, x, 1);
        }
        ended.countDown();
      });
      ManagedChannel channel = ExchangeTransport.channel("127.0.0.1", server.port(), other);
      try {
        HealthGrpc.newBlockingStub(channel)
            .withDeadlineAfter(10, TimeUnit.SECONDS)
            .check(HealthCheckRequest.getDefaultInstance());
      } finally {
        answered.set(true);
        await(ended);
        channel.shutdownNow();
      }
    }
  }

  @Test
  void interruptsAStepWhenItCloses() throws Exception {
    StepLoop loop = new StepLoop();
    CountDownLatch waiting = new CountDownLatch(1);
    List<ErrorCode> codes = new ArrayList<>();
    loop.execute(() -> {
      waiting.countDown();
      try {
        new FrameInbox(1, loop).poll(TimeUnit.SECONDS.toNanos(30));
      } catch (ClusterException e) {
        codes.add(e.code());
      }
    });
    await(waiting);
    loop.close();
    assertThat(loop.hasEnded()).isTrue();
    assertThat(codes).containsExactly(ErrorCode.CANCELLED);
    assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
