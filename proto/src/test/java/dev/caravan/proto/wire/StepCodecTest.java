package dev.caravan.proto.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.worker.v1.Chunk;
import dev.caravan.proto.worker.v1.DrawnToken;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.LargestLogits;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepCodecTest {

  @Test
  void batchComesBackAsItWas() {
    List<RowQuery> queries =
        List.of(
            RowQuery.ALL,
            new RowQuery.Largest(40, 0.75, new int[] {3, 128_255}),
            new RowQuery.Drawn(0.5, Long.MIN_VALUE));
    StepBatch batch =
        new StepBatch(
            7,
            99,
            List.of(
                new SequenceChunk(5, new int[] {1, 2, 3, 4}, new int[] {9, 300}, queries),
                new SequenceChunk(0, new int[] {8}, new int[] {2}, List.of())));
    ExecuteRequest request = StepCodec.encode(batch);
    StepBatch decoded = StepCodec.decode(request);
    assertThat(decoded).usingRecursiveComparison().isEqualTo(batch);
    assertThat(request.hasRecall()).isFalse();
  }

  @Test
  void recallNamesStepAndRow() {
    ExecuteRequest recall = StepCodec.encodeRecall(new StepBatch(7, 99, List.of()), 3);
    assertThat(recall.getEpoch()).isEqualTo(7);
    assertThat(recall.getStep()).isEqualTo(99);
    assertThat(recall.getRecall().getRow()).isEqualTo(3);
  }

  @Test
  void hostileQueriesAreRefusedWithTheNumbers() {
    assertRefused(Chunk.newBuilder(), "chunk 0 has no tokens");
    assertRefused(
        row(LargestLogits.newBuilder()).addQueries(largest(LargestLogits.newBuilder())),
        "chunk 0 has 2 queries for 1 tokens");
    assertRefused(
        row(LargestLogits.newBuilder().setCount(RowQuery.MAX_IDS + 1)),
        "query 0: 1025 candidates are not in 0..1024");
    assertRefused(
        row(LargestLogits.newBuilder().setCount(-1)), "query 0: -1 candidates are not in 0..1024");
    assertRefused(
        row(LargestLogits.newBuilder().addAllIds(Collections.nCopies(RowQuery.MAX_IDS + 1, 5))),
        "query 0: 1025 asked ids are more than 1024");
    assertRefused(
        row(LargestLogits.newBuilder().setMassTemperature(Double.NaN)), "mass temperature NaN");
    assertRefused(row(LargestLogits.newBuilder().setMassTemperature(-1)), "mass temperature -1.0");
    assertRefused(
        Chunk.newBuilder()
            .addTokens(1)
            .addQueries(
                dev.caravan.proto.worker.v1.RowQuery.newBuilder()
                    .setDrawn(DrawnToken.getDefaultInstance())),
        "temperature 0.0 is not over 0");
    assertRefused(
        Chunk.newBuilder()
            .addTokens(1)
            .addQueries(dev.caravan.proto.worker.v1.RowQuery.getDefaultInstance()),
        "asks for nothing");
  }

  private static Chunk.Builder row(LargestLogits.Builder query) {
    return Chunk.newBuilder().addTokens(1).addQueries(largest(query));
  }

  private static dev.caravan.proto.worker.v1.RowQuery largest(LargestLogits.Builder query) {
    return dev.caravan.proto.worker.v1.RowQuery.newBuilder().setLargest(query).build();
  }

  private static void assertRefused(Chunk.Builder chunk, String... parts) {
    ExecuteRequest request = ExecuteRequest.newBuilder().setStep(12).addChunks(chunk).build();
    assertThatThrownBy(() -> StepCodec.decode(request))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(e.getMessage()).contains("step 12").contains(parts);
            });
  }
}
