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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Holds the worker's shard and runs its steps.
 *
 * <p>States: empty -> loading -> ready; a new load replaces the shard of the one before. Confined
 * to the step thread.
 */
final class ShardHost implements AutoCloseable {
  /** Peers load shards of about the same size at the same time; the slowest disk is waited for. */
  private static final long CONNECT_DEADLINE_MILLIS = TimeUnit.MINUTES.toMillis(60);

  private static final long NO_STEP = -1;

  private final PeerConnector connector;
  private final @Nullable Path modelOverride;
  private @Nullable Ready ready;

  /** The step whose logits the stage still holds, or NO_STEP. */
  private long heldStep = NO_STEP;

  private record Ready(int epoch, LoadedShard shard, LlamaStage stage, StepPeers peers) {}

  /**
   * @param modelOverride where this machine keeps the model; null for the coordinator's path
   */
  ShardHost(PeerConnector connector, @Nullable Path modelOverride) {
    this.connector = connector;
    this.modelOverride = modelOverride;
  }

  /**
   * Loads a shard and joins its peers.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT, INCOMPATIBLE, INVALID_REQUEST or WORKER_LOST
   */
  LoadReady load(LoadRequest request, ShardLoader.ProgressListener progress) {
    close();
    heldStep = NO_STEP;
    Shard shard = ShardCodec.decode(request.getShard());
    RuntimeSettings settings = withThreads(SettingsCodec.decode(request.getSettings()));
    LoadedShard loaded = new LoadedShard(open(request), shard, settings);
    StepPeers peers = null;
    try {
      StageWeights weights = loaded.load(progress);
      loaded.prime(weights);
      peers = connect(request, shard, settings);
      LlamaStage stage = loaded.build(weights, peers);
      ready = new Ready(request.getEpoch(), loaded, stage, peers);
    } finally {
      if (ready == null) {
        if (peers != null) {
          peers.close();
        }
        loaded.close();
      }
    }
    return LoadReady.newBuilder()
        .setWeightBytes(loaded.weightBytes())
        .setKvBytes(loaded.kvBytes())
        .build();
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
    return request.hasRecall() ? recall(current, request) : step(current, request);
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
    if (ready != null) {
      ready.peers().close();
      ready.shard().close();
      ready = null;
    }
  }

  private StepPeers connect(LoadRequest request, Shard shard, RuntimeSettings settings) {
    List<ExchangeGrid.Member> members = new ArrayList<>();
    for (Peer peer : request.getPeersList()) {
      members.add(
          new ExchangeGrid.Member(peer.getStage(), peer.getRank(), peer.getHost(), peer.getPort()));
    }
    ExchangeGrid grid = new ExchangeGrid(request.getEpoch(), shard.stage(), shard.rank(), members);
    ConnectedPeers connected = connector.connect(grid, CONNECT_DEADLINE_MILLIS);
    try {
      return StepPeers.measured(connected, request.getEpoch(), settings, CONNECT_DEADLINE_MILLIS);
    } catch (RuntimeException e) {
      connected.close();
      throw e;
    }
  }

  private Checkpoint open(LoadRequest request) {
    Path path = modelOverride == null ? Path.of(request.getModelPath()) : modelOverride;
    Checkpoint checkpoint = Checkpoints.open(path);
    try {
      LoadedShard.checkFingerprint(checkpoint, request.getModelFingerprint());
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
