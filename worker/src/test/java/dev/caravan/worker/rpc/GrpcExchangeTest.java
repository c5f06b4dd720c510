package dev.caravan.worker.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.FramePool;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.PeerGroup;
import dev.caravan.worker.collective.Ranks;
import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.rpc.ExchangeGrid.Member;
import dev.caravan.worker.rpc.ExchangeNodes.Node;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real streams between real servers, all in this JVM. */
class GrpcExchangeTest {
  private static final int EPOCH = 7;
  private static final long CONNECT_MILLIS = 20_000;
  private static final ExchangeSettings SETTINGS =
      new ExchangeSettings(EPOCH, PayloadType.F32, 20_000);

  private final ExchangeNodes exchange = new ExchangeNodes();
  private final List<Node> nodes = exchange.nodes;
  private final List<ConnectedPeers> connected = exchange.connected;

  @AfterEach
  void close() {
    exchange.close();
  }

  private void connect(int stages, int ranks) throws Exception {
    exchange.connect(EPOCH, stages, ranks);
  }

  @Test
  void reducesAndHandsOverInAGridOfThreeByTwo() throws Exception {
    connect(2, 3);
    for (CollectiveAlgorithm algorithm :
        List.of(CollectiveAlgorithm.DIRECT, CollectiveAlgorithm.SCATTER)) {
      for (int columns : new int[] {2048, 1 << 20}) { // 8 KiB and 4 MiB
        float[][] sums = new float[6][];
        float[][] handedOver = new float[6][];
        exchange.runAll(
            6,
            i -> {
              try (Arena arena = Arena.ofConfined()) {
                Activations x = Ranks.partial(arena, i % 3, 1, columns);
                Collective collective =
                    connected.get(i).collective(SETTINGS, algorithm, AllReduceRule.UNMEASURED);
                for (int op = 0; op < 3; op++) {
                  collective.allReduceSum(4, op, x, 1);
                }
                sums[i] = Ranks.values(x, 1);
                StageLink link = connected.get(i).stageLink(SETTINGS);
                if (i < 3) {
                  link.send(4, x, 1);
                } else {
                  link.receive(4, x, 1);
                  handedOver[i] = Ranks.values(x, 1);
                }
              }
            });
        float[] wanted = threeTimesReduced(columns);
        for (int i = 0; i < 6; i++) {
          assertThat(sums[i]).as("%s of %d columns", algorithm, columns).isEqualTo(wanted);
        }
        assertThat(handedOver[5]).isEqualTo(wanted);
      }
    }
  }

  /** Three all-reduces in a row: from the second on every rank brings the same values. */
  private static float[] threeTimesReduced(int columns) {
    try (Arena arena = Arena.ofConfined()) {
      float[] sum = Ranks.values(Ranks.partial(arena, 0, 1, columns), 1);
      float[] second = Ranks.values(Ranks.partial(arena, 1, 1, columns), 1);
      float[] third = Ranks.values(Ranks.partial(arena, 2, 1, columns), 1);
      for (int i = 0; i < columns; i++) {
        float one = sum[i] + second[i] + third[i];
        float two = one + one + one;
        sum[i] = two + two + two;
      }
      return sum;
    }
  }

  @Test
  void losesAWorkerWithinMillisecondsOfItsDeath() throws Exception {
    connect(1, 3);
    CountDownLatch waiting = new CountDownLatch(2);
    long[] millis = new long[3];
    ClusterException[] failures = new ClusterException[3];
    exchange.runAll(
        3,
        rank -> {
          if (rank == 1) {
            waiting.await();
            connected.get(1).close();
            nodes.get(1).close();
            millis[1] = System.nanoTime();
            return;
          }
          try (Arena arena = Arena.ofConfined()) {
            Activations x = Ranks.partial(arena, rank, 1, 2048);
            Collective direct =
                connected
                    .get(rank)
                    .collective(SETTINGS, CollectiveAlgorithm.DIRECT, AllReduceRule.UNMEASURED);
            waiting.countDown();
            failures[rank] =
                catchThrowableOfType(ClusterException.class, () -> direct.allReduceSum(9, 2, x, 1));
            millis[rank] = System.nanoTime();
          }
        });
    for (int rank : new int[] {0, 2}) {
      assertThat(failures[rank].code()).isEqualTo(ErrorCode.WORKER_LOST);
      assertThat(failures[rank])
          .hasMessageContainingAll(
              "stage 0 rank 1", "127.0.0.1:" + nodes.get(1).port, "step 9", "op 2");
      assertThat((millis[rank] - millis[1]) / 1_000_000).isLessThan(5000);
    }
  }

  @Test
  void reportsASilentWorkerAtTheDeadline() throws Exception {
    connect(1, 2);
    ExchangeSettings hasty = new ExchangeSettings(EPOCH, PayloadType.F32, 150);
    try (Arena arena = Arena.ofConfined()) {
      Activations x = Ranks.partial(arena, 0, 1, 2048);
      Collective direct =
          connected.get(0).collective(hasty, CollectiveAlgorithm.DIRECT, AllReduceRule.UNMEASURED);
      long start = System.nanoTime();
      ClusterException silent =
          catchThrowableOfType(ClusterException.class, () -> direct.allReduceSum(9, 2, x, 1));
      assertThat((System.nanoTime() - start) / 1_000_000).isBetween(150L, 3000L);
      assertThat(silent.code()).isEqualTo(ErrorCode.WORKER_LOST);
      assertThat(silent).hasMessageContainingAll("rank 1", "step 9", "op 2", "ms");
    }
  }

  @Test
  void givesUpOnPeersThatAreNotThere() throws Exception {
    Node node = new Node();
    nodes.add(node);
    Node stopped = new Node();
    stopped.close();
    List<Member> members =
        List.of(
            new Member(0, 0, "127.0.0.1", node.port), new Member(0, 1, "127.0.0.1", stopped.port));
    ClusterException unreachable =
        catchThrowableOfType(
            ClusterException.class,
            () -> node.connector.connect(new ExchangeGrid(EPOCH, 0, 0, members), 300));
    assertThat(unreachable.code()).isEqualTo(ErrorCode.WORKER_LOST);
    assertThat(unreachable).hasMessageContainingAll("rank 1", "did not answer");
    ClusterException neverDialled =
        catchThrowableOfType(
            ClusterException.class,
            () -> node.connector.connect(new ExchangeGrid(EPOCH, 0, 1, members), 300));
    assertThat(neverDialled.code()).isEqualTo(ErrorCode.WORKER_LOST);
    assertThat(neverDialled).hasMessageContainingAll("rank 0", "did not dial");
  }

  @Test
  void refusesPeersOfAnEarlierEpoch() throws Exception {
    nodes.add(new Node());
    nodes.add(new Node());
    nodes.get(1).registry.enterEpoch(EPOCH + 1);
    List<Member> members =
        List.of(
            new Member(0, 0, "127.0.0.1", nodes.get(0).port),
            new Member(0, 1, "127.0.0.1", nodes.get(1).port));
    ClusterException stale =
        catchThrowableOfType(
            ClusterException.class,
            () -> nodes.get(0).connector.connect(new ExchangeGrid(EPOCH, 0, 0, members), 5000));
    assertThat(stale).hasMessageContainingAll("epoch 7 is over", "epoch 8", "rank 1");
  }

  /** Nobody answers the one that dials, nobody dials the other. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void laterEpochCutsOffWhoStillConnects(int rank) throws Exception {
    nodes.add(new Node());
    nodes.add(new Node());
    Node node = nodes.get(rank);
    List<Member> members =
        List.of(
            new Member(0, 0, "127.0.0.1", nodes.get(0).port),
            new Member(0, 1, "127.0.0.1", nodes.get(1).port));
    FutureTask<ConnectedPeers> connecting =
        new FutureTask<>(
            () -> node.connector.connect(new ExchangeGrid(EPOCH, 0, rank, members), 60_000));
    Thread thread = Thread.ofPlatform().daemon().start(connecting);
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      assertThat(connecting).isNotDone();
      Thread.onSpinWait();
    }
    node.connector.enter(EPOCH + 1);
    assertThatThrownBy(() -> connecting.get(20, TimeUnit.SECONDS))
        .hasMessageContaining(rank == 0 ? "a later epoch has begun" : "epoch 7 is over");
  }

  @Test
  void connectsAgainInTheNextEpoch() throws Exception {
    connect(1, 2);
    List<Member> members =
        List.of(
            new Member(0, 0, "127.0.0.1", nodes.get(0).port),
            new Member(0, 1, "127.0.0.1", nodes.get(1).port));
    ExchangeSettings next = new ExchangeSettings(EPOCH + 1, PayloadType.F32, 10_000);
    Ranks.runAll(
        2,
        rank -> {
          connected.get(rank).close();
          ExchangeGrid grid = new ExchangeGrid(EPOCH + 1, 0, rank, members);
          try (ConnectedPeers peers = nodes.get(rank).connector.connect(grid, CONNECT_MILLIS);
              Arena arena = Arena.ofConfined()) {
            Activations x = new Activations(arena, 1, 64);
            x.set(0, 63, rank + 1f);
            Collective collective =
                peers.collective(next, CollectiveAlgorithm.AUTO, AllReduceRule.UNMEASURED);
            collective.allReduceSum(1, 0, x, 1);
            // The second exchange keeps a fast rank from closing before the slow one has read.
            assertThat(x.get(0, 63)).isEqualTo(3);
            collective.allReduceSum(1, 1, x, 1);
          } catch (ClusterException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.WORKER_LOST);
            assertThat(e).hasMessageContaining("op 1");
          }
        });
  }

  @Test
  void allocatesLittleInASteadyAllReduce() throws Exception {
    connect(1, 2);
    int warmUp = 2000;
    int measured = 1000;
    long[] bytesPerOp = new long[2];
    long[] nanosPerOp = new long[2];
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    exchange.runAll(
        2,
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            Activations x = new Activations(arena, 1, 2048);
            Collective collective =
                connected
                    .get(rank)
                    .collective(SETTINGS, CollectiveAlgorithm.AUTO, AllReduceRule.UNMEASURED);
            for (int op = 0; op < warmUp; op++) {
              collective.allReduceSum(1, op, x, 1);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            for (int op = 0; op < measured; op++) {
              collective.allReduceSum(2, op, x, 1);
            }
            nanosPerOp[rank] = (System.nanoTime() - start) / measured;
            bytesPerOp[rank] = (threads.getCurrentThreadAllocatedBytes() - before) / measured;
          }
        });
    System.out.printf(
        "all-reduce of 8 KiB over gRPC, 2 ranks: %d bytes allocated, %d us%n",
        Math.max(bytesPerOp[0], bytesPerOp[1]), nanosPerOp[0] / 1000);
    assertThat(bytesPerOp[0]).isLessThan(8192);
    assertThat(bytesPerOp[1]).isLessThan(8192);
  }

  @Test
  void refusesChannelsInTheWrongPlaces() {
    IllegalArgumentException wrong;
    try (StepLoop loop = new StepLoop()) {
      wrong =
          catchThrowableOfType(
              IllegalArgumentException.class,
              () ->
                  new PeerGroup(
                      SETTINGS,
                      0,
                      1,
                      List.of(
                          new GrpcPeerChannel(
                              new dev.caravan.worker.collective.PeerId(0, 1, "self"),
                              ExchangeStream.dialled(new FramePool(0), loop),
                              () -> {}))));
    }
    assertThat(wrong).hasMessageContainingAll("[1]", "[0]");
  }
}
