package dev.caravan.worker.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.wire.AnswerCodec;
import dev.caravan.proto.wire.FramePool;
import dev.caravan.proto.wire.SettingsCodec;
import dev.caravan.proto.wire.ShardCodec;
import dev.caravan.proto.wire.StepCodec;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.LoadReady;
import dev.caravan.proto.worker.v1.LoadRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A worker without peers, from message to message. */
class ShardHostTest {
  private static final int EPOCH = 4;
  private static final int VOCAB_SIZE = 101;
  private static final IntRange VOCAB_ROWS = new IntRange(0, VOCAB_SIZE);
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          96, 224, 1, 6, 3, 32, VOCAB_SIZE, 64, 1e-5f, 10_000, new RopeScaling.None(), false);

  @TempDir Path directory;

  private final PeerRegistry registry = new PeerRegistry();
  private final StepLoop loop = new StepLoop();
  private final ShardHost host =
      new ShardHost(new PeerConnector(registry, new FramePool(1 << 20), loop), null);

  @BeforeEach
  void load() throws IOException {
    TinyLlama.write(directory.resolve("model.gguf"), CONFIG, name -> DType.F32, 5);
    host.enter(EPOCH);
    assertThat(load(request(EPOCH, 4)).getReadBytes()).isPositive();
  }

  /** Of a worker with one thread and plain loops. */
  static RuntimeSettings settings(int kvBlocks) {
    return new RuntimeSettings(
        1,
        RuntimeSettings.Kernels.UNPACKED,
        RuntimeSettings.Activations.F32,
        RuntimeSettings.KvType.F32,
        RuntimeSettings.Sync.F32,
        RuntimeSettings.Collective.AUTO,
        8,
        kvBlocks,
        64,
        false,
        30_000);
  }

  private LoadReady load(LoadRequest request) {
    host.leaveEpoch();
    return host.join(host.prepare(request, (done, total) -> {}));
  }

  private LoadRequest request(int epoch, int kvBlocks) {
    Path model = directory.resolve("model.gguf");
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      return LoadRequest.newBuilder()
          .setEpoch(epoch)
          .setModelPath(model.toString())
          .setModelFingerprint(checkpoint.fingerprint())
          .setShard(
              ShardCodec.encode(
                  ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), 1, 1)
                      .shards()
                      .getFirst()))
          .setSettings(SettingsCodec.encode(settings(kvBlocks)))
          .build();
    }
  }

  @AfterEach
  void close() {
    loop.close();
    host.close();
    registry.close();
  }

  @Test
  void answersCandidatesAndRecallsTheWholeRowAfterwards() {
    List<RowQuery> queries =
        List.of(new RowQuery.Largest(5, 1, new int[] {100}), RowQuery.ALL, new RowQuery.Largest(1));
    StepBatch batch = batch(1, queries);
    ExecuteResponse response = host.execute(StepCodec.encode(batch));
    List<RowAnswer> answers = AnswerCodec.decode(response, queries, VOCAB_ROWS);
    float[] first = recall(batch, 0);
    assertThat(((RowAnswer.Candidates) answers.get(0)).ids())
        .isEqualTo(LargestLogits.select(first, 5));
    assertThat(((RowAnswer.Candidates) answers.get(0)).asked()).containsExactly(first[100]);
    assertThat(((RowAnswer.All) answers.get(1)).logits()).isEqualTo(recall(batch, 1));
    assertThat(((RowAnswer.Candidates) answers.get(2)).ids())
        .isEqualTo(LargestLogits.select(recall(batch, 2), 1));
    assertThat(response.getComputeNanos()).isPositive();
    assertThat(response.getWaitNanos()).isZero();
  }

  @Test
  void echoIsAnsweredWithoutComputingAndChangesNothing() {
    StepBatch batch = batch(1, List.of(new RowQuery.Largest(5)));
    host.execute(StepCodec.encode(batch));
    float[] held = recall(batch, 0);
    ExecuteResponse echo = host.execute(StepCodec.encodeEcho(batch(0, List.of(RowQuery.ALL))));
    assertThat(echo.getEpoch()).isEqualTo(EPOCH);
    assertThat(echo.getStep()).isZero();
    assertThat(echo.getComputeNanos()).isZero();
    assertThat(echo.getLogits().isEmpty()).isTrue();
    assertThat(recall(batch, 0)).isEqualTo(held);
    StepBatch stale = new StepBatch(EPOCH - 1, 0, batch.chunks());
    assertThatThrownBy(() -> host.execute(StepCodec.encodeEcho(stale)))
        .hasMessageContaining("step of epoch 3, this worker is in epoch 4");
  }

  @Test
  void recallsNothingButRowsOfTheLatestStep() {
    StepBatch first = batch(1, List.of(new RowQuery.Largest(1)));
    assertRefused(StepCodec.encodeRecall(first, 0), "row 0 of step 1 is not held");
    host.execute(StepCodec.encode(first));
    assertRefused(StepCodec.encodeRecall(first, 1), "row 1 of step 1", "holds 1 rows of step 1");
    assertRefused(StepCodec.encodeRecall(first, -1), "row -1 of step 1");
    host.execute(StepCodec.encode(batch(2, List.of(new RowQuery.Largest(1)))));
    assertRefused(StepCodec.encodeRecall(first, 0), "row 0 of step 1", "1 rows of step 2");
    StepBatch refused = batch(3, List.of(new RowQuery.Largest(0, 0, new int[] {VOCAB_SIZE})));
    assertRefused(StepCodec.encode(refused), "asked id 101 is outside the vocabulary of 101");
    assertRefused(
        StepCodec.encodeRecall(batch(2, List.of()), 0), "row 0 of step 2", "rows of step -1");
  }

  @Test
  void sameShardIsKeptInTheNextEpochAndGivesTheSameBits() throws IOException {
    StepBatch before = batch(1, List.of(RowQuery.ALL));
    host.execute(StepCodec.encode(before));
    float[] expected = recall(before, 0);
    LoadRequest again = request(EPOCH + 3, 4);
    Files.delete(directory.resolve("model.gguf")); // It is mapped, but nobody can open it anew.
    host.enter(EPOCH + 3);
    assertThat(load(again).getReadBytes()).isZero();
    StepBatch after = new StepBatch(EPOCH + 3, 1, before.chunks());
    host.execute(StepCodec.encode(after));
    assertThat(recall(after, 0)).isEqualTo(expected);
    assertThatThrownBy(() -> host.execute(StepCodec.encode(batch(2, List.of(RowQuery.ALL)))))
        .hasMessageContaining("step of epoch 4, this worker is in epoch 7");
  }

  @Test
  void anotherShardReplacesTheOneBefore() {
    host.enter(EPOCH + 1);
    assertThat(load(request(EPOCH + 1, 6)).getReadBytes()).isPositive();
    assertThat(host.latestEpoch()).isEqualTo(EPOCH + 1);
  }

  @Test
  void epochsThatAreOverCannotBeEnteredAgain() {
    for (int epoch : new int[] {EPOCH, EPOCH - 1}) {
      assertThatThrownBy(() -> host.enter(epoch))
          .isInstanceOfSatisfying(
              ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STALE_EPOCH))
          .hasMessageContaining("this worker is in epoch 4");
    }
  }

  private float[] recall(StepBatch batch, int row) {
    ExecuteResponse response = host.execute(StepCodec.encodeRecall(batch, row));
    RowAnswer answer = AnswerCodec.decode(response, List.of(RowQuery.ALL), VOCAB_ROWS).getFirst();
    return ((RowAnswer.All) answer).logits();
  }

  private void assertRefused(ExecuteRequest request, String... parts) {
    assertThatThrownBy(() -> host.execute(request))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(e.getMessage()).contains(parts);
            });
  }

  private static StepBatch batch(long step, List<RowQuery> queries) {
    int[] tokens = {3, 1, 4, 1};
    return new StepBatch(
        EPOCH, step, List.of(new SequenceChunk(0, tokens, new int[] {0}, queries)));
  }
}
