package dev.caravan.worker.rpc;

import dev.caravan.worker.collective.AllReduceProbe;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.CollectiveWarmUp;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerGroup;
import dev.caravan.worker.collective.PeerStageLink;
import dev.caravan.worker.collective.StageLink;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Channels to all peers of one worker in one epoch.
 *
 * @param stage of this worker
 * @param rank of this worker
 * @param ranks the other ranks of its stage, ascending
 * @param previous the same rank of the stage before; null on the first stage
 * @param next the same rank of the stage after; null on the last stage
 */
public record ConnectedPeers(
    int stage,
    int rank,
    List<PeerChannel> ranks,
    @Nullable PeerChannel previous,
    @Nullable PeerChannel next)
    implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectedPeers.class);

  public ConnectedPeers {
    ranks = List.copyOf(ranks);
  }

  /** Returns the collective of the worker's stage. */
  public Collective collective(
      ExchangeSettings settings, CollectiveAlgorithm algorithm, AllReduceRule rule) {
    return algorithm.over(new PeerGroup(settings, stage, rank, ranks), rule);
  }

  /**
   * Makes all-reduces between the ranks of the stage fast; all of them do so at the same time.
   *
   * @param wanted whether that is worth some seconds; rank 0 decides for all
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a rank does not take part
   */
  void warmUp(ExchangeSettings settings, CollectiveAlgorithm algorithm, boolean wanted) {
    if (!ranks.isEmpty()) {
      Collective collective = collective(settings, algorithm, AllReduceRule.UNMEASURED);
      int rounds = new CollectiveWarmUp(collective, System::nanoTime).run(wanted);
      LOG.info("warmed up with {} all-reduces", rounds);
    }
  }

  /**
   * Measures the links between the ranks of the stage; all of them do so at the same time.
   *
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a rank does not take part
   */
  AllReduceRule measure(ExchangeSettings settings) {
    return new AllReduceProbe(new PeerGroup(settings, stage, rank, ranks)).measure();
  }

  /** Returns the link to the neighbouring stages. */
  public StageLink stageLink(ExchangeSettings settings) {
    return new PeerStageLink(settings, stage, rank, previous, next);
  }

  /** Closes all channels: whoever waits for a frame fails at once, here and on the peers. */
  @Override
  public void close() {
    ranks.forEach(PeerChannel::close);
    if (previous != null) {
      previous.close();
    }
    if (next != null) {
      next.close();
    }
  }
}
