package dev.caravan.worker.rpc;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.wire.SettingsCodec;
import dev.caravan.proto.wire.ShardCodec;
import dev.caravan.proto.wire.StepCodec;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.LoadReady;
import dev.caravan.proto.worker.v1.LoadRequest;
import dev.caravan.proto.worker.v1.Peer;
import dev.caravan.worker.layer.LlamaStage;
import dev.caravan.worker.layer.RowAnswers;
import dev.caravan.worker.layer.StageWeights;
import dev.caravan.worker.load.ShardLoader;
import java.lang.foreign.Arena;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the worker's shard and runs its steps.
 *
 * <p>A shard outlives the epoch that it was loaded for: the next epoch, of the same coordinator or
 * of another, takes it over if it wants the same. Confined to the step thread, but for {@link
 * #enter}, {@link #latestEpoch} and {@link #prepare}.
 */
final class ShardHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ShardHost.class);

  /** Peers load shards of about the same size at the same time; the slowest disk is waited for. */
  private static final long CONNECT_DEADLINE_MILLIS = TimeUnit.MINUTES.toMillis(60);

  private static final long NO_STEP = -1;

  /** Null in a JVM without a JIT. */
  private static final @Nullable CompilationMXBean JIT = ManagementFactory.getCompilationMXBean();

  private final PeerConnector connector;
  private final @Nullable Path modelOverride;
  private @Nullable Held held;
  private @Nullable Ready ready;

  /** Those of the latest epoch, as soon as they are connected; closed by the epoch that follows. */
  private volatile @Nullable ConnectedPeers peers;

  private volatile int latestEpoch;

  /** The step whose logits the stage still holds, or NO_STEP. */
  private long heldStep = NO_STEP;

  /** What a shard is loaded for. */
  private record Purpose(Path model, String fingerprint, Shard shard, RuntimeSettings settings) {}

  /** A shard in memory. */
  private record Held(Purpose purpose, LoadedShard shard, StageWeights weights) {}

  /**
   * A shard that has met its peers.
   *
   * @param isNew false if it was held before
   */
  record Prepared(LoadRequest request, Held held, boolean isNew, ConnectedPeers peers) {}

  /** The layers of one epoch; the arena owns their activations. */
  private record Ready(int epoch, LlamaStage stage, StepPeers peers, Arena arena) {}

  /**
   * @param modelOverride where this machine keeps the model; null for the coordinator's path
   */
  ShardHost(PeerConnector connector, @Nullable Path modelOverride) {
    this.connector = connector;
    this.modelOverride = modelOverride;
  }

  /** Latest epoch that was entered; 0 if none was. Thread-safe. */
  int latestEpoch() {
    return latestEpoch;
  }

  /**
   * Ends all earlier epochs: a step that waits for its peers fails at once, and so does a load that
   * connects to them. Thread-safe.
   *
   * @throws ClusterException STALE_EPOCH if that epoch or a later one was entered before
   */
  synchronized void enter(int epoch) {
    if (epoch <= latestEpoch) {
      throw new ClusterException(
          ErrorCode.STALE_EPOCH,
          "epoch %d is over, this worker is in epoch %d".formatted(epoch, latestEpoch));
    }
    latestEpoch = epoch;
    connector.enter(epoch);
    closePeers();
  }

  /**
   * Loads a shard, unless it is held already, and connects to its peers: all that takes long, on
   * another thread than the step thread, which moves the frames meanwhile. Call {@link #leaveEpoch}
   * before and {@link #join} with the result.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT, INCOMPATIBLE, INVALID_REQUEST or WORKER_LOST
   */
  Prepared prepare(LoadRequest request, ShardLoader.ProgressListener progress) {
    Purpose purpose =
        new Purpose(
            modelOverride == null ? Path.of(request.getModelPath()) : modelOverride,
            request.getModelFingerprint(),
            ShardCodec.decode(request.getShard()),
            withThreads(SettingsCodec.decode(request.getSettings())));
    Held kept = held != null && held.purpose().equals(purpose) ? held : null;
    Held current = kept == null ? load(purpose, progress) : kept;
    LOG.info(
        "epoch={} stage={} rank={} {} its shard",
        request.getEpoch(),
        purpose.shard().stage(),
        purpose.shard().rank(),
        kept == null ? "loaded" : "kept");
    return new Prepared(request, current, kept == null, connect(request, purpose));
  }

  /**
   * Prepares the links to the peers and puts the layers together.
   *
   * @throws ClusterException STALE_EPOCH if a later epoch was entered, WORKER_LOST
   */
  LoadReady join(Prepared prepared) {
    LoadedShard shard = prepared.held().shard();
    int epoch = prepared.request().getEpoch();
    StepPeers stepPeers = linked(prepared, epoch);
    Arena arena = Arena.ofShared();
    LlamaStage stage = shard.build(prepared.held().weights(), stepPeers, arena);
    ready = new Ready(epoch, stage, stepPeers, arena);
    return LoadReady.newBuilder()
        .setWeightBytes(shard.weightBytes())
        .setKvBytes(shard.kvBytes())
        .setReadBytes(prepared.isNew() ? shard.weightBytes() : 0)
        .build();
  }

  private Held load(Purpose purpose, ShardLoader.ProgressListener progress) {
    drop();
    LoadedShard loaded = new LoadedShard(open(purpose), purpose.shard(), purpose.settings());
    try {
      StageWeights weights = loaded.load(progress);
      loaded.prime(weights);
      held = new Held(purpose, loaded, weights);
      return held;
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * Runs a step, or recalls a row of the latest one.
   *
   * @throws ClusterException MODEL_NOT_READY without a shard, STALE_EPOCH for another epoch,
   *     INVALID_REQUEST for a row that is not held, or what the stage throws
   */
  ExecuteResponse execute(ExecuteRequest request) {
    Ready current = ready;
    if (current == null) {
      throw new ClusterException(ErrorCode.MODEL_NOT_READY, "this worker holds no shard");
    }
    if (request.getEpoch() != current.epoch()) {
      throw new ClusterException(
          ErrorCode.STALE_EPOCH,
          "step of epoch %d, this worker is in epoch %d"
              .formatted(request.getEpoch(), current.epoch()));
    }
    if (request.getEcho()) {
      return echo(request);
    }
    return request.hasRecall() ? recall(current, request) : step(current, request);
  }

  /** As much of a step as can be done without computing. */
  private static ExecuteResponse echo(ExecuteRequest request) {
    StepBatch batch = StepCodec.decode(request);
    return ExecuteResponse.newBuilder()
        .setEpoch(batch.epoch())
        .setStep(batch.step())
        .setJitMillis(JIT == null ? 0 : JIT.getTotalCompilationTime())
        .build();
  }

  private ExecuteResponse step(Ready current, ExecuteRequest request) {
    StepBatch batch = StepCodec.decode(request);
    StepPeers peers = current.peers();
    long syncBytes = peers.bytesSent();
    long syncNanos = peers.nanos();
    long waitNanos = peers.waitNanos();
    heldStep = NO_STEP;
    long start = System.nanoTime();
    current.stage().forward(batch);
    long nanos = System.nanoTime() - start;
    long sync = peers.nanos() - syncNanos;
    heldStep = request.getStep();
    ExecuteResponse.Builder response =
        ExecuteResponse.newBuilder()
            .setEpoch(request.getEpoch())
            .setStep(request.getStep())
            .setChecksum(peers.checksum())
            .setComputeNanos(nanos - sync)
            .setSyncNanos(sync)
            .setWaitNanos(peers.waitNanos() - waitNanos)
            .setSyncBytes(peers.bytesSent() - syncBytes);
    RowAnswers answers = current.stage().answers();
    if (answers != null) {
      HeadResponse.add(answers, response);
    }
    return response.build();
  }

  private ExecuteResponse recall(Ready current, ExecuteRequest request) {
    int row = request.getRecall().getRow();
    RowAnswers answers = current.stage().answers();
    if (answers == null || request.getStep() != heldStep || row < 0 || row >= answers.count()) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "row %d of step %d is not held; this worker holds %d rows of step %d"
              .formatted(row, request.getStep(), answers == null ? 0 : answers.count(), heldStep));
    }
    return ExecuteResponse.newBuilder()
        .setEpoch(request.getEpoch())
        .setStep(request.getStep())
        .setLogits(HeadResponse.logits(answers, row))
        .build();
  }

  @Override
  public void close() {
    leaveEpoch();
    drop();
  }

  /** Ends the steps of the epoch that was. */
  void leaveEpoch() {
    heldStep = NO_STEP;
    closePeers();
    if (ready != null) {
      ready.arena().close();
      ready = null;
    }
  }

  private void closePeers() {
    ConnectedPeers connected = peers;
    if (connected != null) {
      connected.close();
    }
  }

  private void drop() {
    if (held != null) {
      held.shard().close();
      held = null;
    }
  }

  private ConnectedPeers connect(LoadRequest request, Purpose purpose) {
    List<ExchangeGrid.Member> members = new ArrayList<>();
    for (Peer peer : request.getPeersList()) {
      members.add(
          new ExchangeGrid.Member(peer.getStage(), peer.getRank(), peer.getHost(), peer.getPort()));
    }
    Shard shard = purpose.shard();
    ExchangeGrid grid = new ExchangeGrid(request.getEpoch(), shard.stage(), shard.rank(), members);
    return connector.connect(grid, CONNECT_DEADLINE_MILLIS);
  }

  private StepPeers linked(Prepared prepared, int epoch) {
    ConnectedPeers connected = prepared.peers();
    peers = connected;
    try {
      connector.checkCurrent(epoch); // enter() may not have seen the peers yet
      return StepPeers.prepared(
          connected,
          epoch,
          prepared.held().purpose().settings(),
          prepared.isNew() && prepared.held().shard().isWorthWarmLinks(),
          CONNECT_DEADLINE_MILLIS,
          connector.io());
    } catch (RuntimeException e) {
      connected.close();
      throw e;
    }
  }

  private static Checkpoint open(Purpose purpose) {
    Checkpoint checkpoint = Checkpoints.open(purpose.model());
    try {
      LoadedShard.checkFingerprint(checkpoint, purpose.fingerprint());
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
    return checkpoint;
  }

  private static RuntimeSettings withThreads(RuntimeSettings settings) {
    return settings.threads() > 0
        ? settings
        : settings.withThreads(Runtime.getRuntime().availableProcessors());
  }
}
