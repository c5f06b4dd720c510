package dev.caravan.worker.rpc;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.ChecksummingCollective;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.IoDriver;
import dev.caravan.worker.collective.StageLink;
import org.jspecify.annotations.Nullable;

/**
 * The other workers as the layers see them, and what a step spends on them. Confined to the step
 * thread, but for close().
 */
public final class StepPeers implements AutoCloseable {
  private final TimedPeerChannel.Waits waits = new TimedPeerChannel.Waits();
  private final ConnectedPeers peers;
  private final TimedCollective collective;
  private final @Nullable ChecksummingCollective checksums;
  private final TimedStageLink link;

  /** Leaves the links unmeasured; others move the frames. */
  public StepPeers(ConnectedPeers peers, int epoch, RuntimeSettings settings) {
    this(peers, epoch, settings, AllReduceRule.UNMEASURED, IoDriver.BACKGROUND);
  }

  private StepPeers(
      ConnectedPeers peers, int epoch, RuntimeSettings settings, AllReduceRule rule, IoDriver io) {
    this.peers = TimedPeerChannel.over(peers, waits);
    ExchangeSettings exchange =
        new ExchangeSettings(epoch, payload(settings.sync()), settings.stepDeadlineMillis());
    Collective plain = this.peers.collective(exchange, algorithm(settings.collective()), rule);
    this.checksums = settings.checksums() ? new ChecksummingCollective(plain) : null;
    this.collective = new TimedCollective(checksums == null ? plain : checksums, io);
    this.link = new TimedStageLink(this.peers.stageLink(exchange));
  }

  /**
   * Prepares the links first: makes them fast, and measures them where the way of an all-reduce
   * depends on it.
   *
   * @param warmUp whether the first is worth some seconds
   * @param deadlineMillis how long to wait for peers that are still connecting to others
   * @param io that moves the frames
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a rank does not take part
   */
  static StepPeers prepared(
      ConnectedPeers peers,
      int epoch,
      RuntimeSettings settings,
      boolean warmUp,
      long deadlineMillis,
      IoDriver io) {
    ExchangeSettings patient =
        new ExchangeSettings(epoch, payload(settings.sync()), deadlineMillis);
    CollectiveAlgorithm algorithm = algorithm(settings.collective());
    peers.warmUp(patient, algorithm, warmUp);
    AllReduceRule rule =
        algorithm == CollectiveAlgorithm.AUTO ? peers.measure(patient) : AllReduceRule.UNMEASURED;
    return new StepPeers(peers, epoch, settings, rule, io);
  }

  Collective collective() {
    return collective;
  }

  /** Link to the stage before; null on the first. */
  @Nullable StageLink previous() {
    return peers.previous() == null ? null : link;
  }

  /** Link to the stage after; null on the last. */
  @Nullable StageLink next() {
    return peers.next() == null ? null : link;
  }

  /**
   * Checksum over all activations after every all-reduce of the step; 0 if it was not asked for.
   */
  public long checksum() {
    return checksums == null ? 0 : checksums.checksum();
  }

  /** Time spent in collectives and hand-overs since the start, in nanoseconds. */
  public long nanos() {
    return collective.nanos() + link.nanos();
  }

  /** The part of {@link #nanos} in which nothing was done but wait for peers' frames. */
  public long waitNanos() {
    return waits.nanos();
  }

  /** Bytes sent since the start. */
  public long bytesSent() {
    return collective.bytesSent() + link.bytesSent();
  }

  @Override
  public void close() {
    peers.close();
  }

  private static PayloadType payload(RuntimeSettings.Sync sync) {
    return switch (sync) {
      case F32 -> PayloadType.F32;
      case BF16 -> PayloadType.BF16;
      case Q8 -> PayloadType.Q8;
    };
  }

  private static CollectiveAlgorithm algorithm(RuntimeSettings.Collective collective) {
    return switch (collective) {
      case AUTO -> CollectiveAlgorithm.AUTO;
      case DIRECT -> CollectiveAlgorithm.DIRECT;
      case SCATTER -> CollectiveAlgorithm.SCATTER;
    };
  }
}
