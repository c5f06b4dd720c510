package dev.caravan.bench.cluster;

import dev.caravan.worker.collective.InProcessPeerChannel;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerId;
import dev.caravan.worker.rpc.ConnectedPeers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Connects the workers of a grid inside this JVM, as gRPC streams connect them elsewhere. */
final class InProcessPeers {
  private final int stages;
  private final int ranks;
  private final List<List<PeerChannel>> sameStage = new ArrayList<>();
  private final @Nullable PeerChannel[] previous;
  private final @Nullable PeerChannel[] next;

  private InProcessPeers(int stages, int ranks) {
    this.stages = stages;
    this.ranks = ranks;
    this.previous = new PeerChannel[stages * ranks];
    this.next = new PeerChannel[stages * ranks];
    for (int i = 0; i < stages * ranks; i++) {
      sameStage.add(new ArrayList<>());
    }
  }

  /** Returns each worker's peers, stage by stage, rank by rank. */
  static List<ConnectedPeers> connect(int stages, int ranks) {
    InProcessPeers grid = new InProcessPeers(stages, ranks);
    for (int stage = 0; stage < stages; stage++) {
      grid.connectRanks(stage);
      if (stage > 0) {
        grid.connectToPrevious(stage);
      }
    }
    List<ConnectedPeers> peers = new ArrayList<>();
    for (int i = 0; i < stages * ranks; i++) {
      peers.add(
          new ConnectedPeers(
              i / ranks, i % ranks, grid.sameStage.get(i), grid.previous[i], grid.next[i]));
    }
    return peers;
  }

  private void connectRanks(int stage) {
    for (int first = 0; first < ranks; first++) {
      for (int second = first + 1; second < ranks; second++) {
        var pair = InProcessPeerChannel.connect(id(stage, first), id(stage, second));
        sameStage.get(stage * ranks + first).add(pair.toSecond());
        sameStage.get(stage * ranks + second).add(pair.toFirst());
      }
    }
  }

  private void connectToPrevious(int stage) {
    for (int rank = 0; rank < ranks; rank++) {
      var pair = InProcessPeerChannel.connect(id(stage - 1, rank), id(stage, rank));
      next[(stage - 1) * ranks + rank] = pair.toSecond();
      previous[stage * ranks + rank] = pair.toFirst();
    }
  }

  private static PeerId id(int stage, int rank) {
    return new PeerId(stage, rank, "in-process");
  }
}
