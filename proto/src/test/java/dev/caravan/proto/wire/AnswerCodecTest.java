package dev.caravan.proto.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.RowCandidates;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerCodecTest {
  private static final IntRange ROWS = new IntRange(10, 14);

  /** Ids 11 and 40 are asked for; only 11 belongs to the rank. */
  private static final RowQuery.Largest TWO = new RowQuery.Largest(2, 1, new int[] {11, 40});

  @Test
  void answersComeBackInTheOrderOfTheirRows() {
    RowAnswer.Candidates candidates =
        new RowAnswer.Candidates(
            new int[] {13, 10}, new float[] {4, -2}, new float[] {-5}, new LogitMass(4, 1.25));
    RowAnswer.Candidates drawn =
        new RowAnswer.Candidates(new int[] {12}, new float[] {0.5f}, new float[0], LogitMass.NONE);
    ExecuteResponse response =
        ExecuteResponse.newBuilder()
            .addCandidates(AnswerCodec.encode(candidates))
            .addCandidates(AnswerCodec.encode(drawn))
            .setLogits(AnswerCodec.wrapLogits(floats(1, 2, 3, 4)))
            .build();
    List<RowAnswer> answers =
        AnswerCodec.decode(response, List.of(TWO, RowQuery.ALL, new RowQuery.Drawn(1, 2)), ROWS);
    assertThat(answers)
        .usingRecursiveComparison()
        .isEqualTo(List.of(candidates, new RowAnswer.All(new float[] {1, 2, 3, 4}), drawn));
  }

  @Test
  void rankWithoutVocabularyRowsAnswersNothing() {
    IntRange none = new IntRange(5, 5);
    assertThat(
            AnswerCodec.decode(
                ExecuteResponse.getDefaultInstance(), List.of(TWO, RowQuery.ALL), none))
        .isEmpty();
    assertMisfit(
        ExecuteResponse.newBuilder().setLogits(AnswerCodec.wrapLogits(floats(1))).build(),
        List.of(RowQuery.ALL),
        none,
        "1 logits instead of 0 rows x 0");
  }

  @Test
  void rankWithFewerRowsThanCandidatesAnswersThemAll() {
    RowCandidates all =
        RowCandidates.newBuilder().addIds(3).addIds(2).addLogits(1).addLogits(0).build();
    ExecuteResponse response = ExecuteResponse.newBuilder().addCandidates(all).build();
    assertThat(AnswerCodec.decode(response, List.of(new RowQuery.Largest(50)), new IntRange(2, 4)))
        .hasSize(1);
  }

  @Test
  void answersThatDoNotFitTheirQueryAreRefused() {
    assertMisfit(answer(), List.of(RowQuery.ALL), ROWS, "0 logits instead of 1 rows x 4");
    assertMisfit(answer(), List.of(TWO), ROWS, "candidates of 0 rows instead of 1");
    RowCandidates good =
        RowCandidates.newBuilder()
            .addIds(13)
            .addIds(10)
            .addLogits(4)
            .addLogits(-2)
            .addAsked(-5)
            .build();
    assertThat(AnswerCodec.decode(answer(good), List.of(TWO), ROWS)).hasSize(1);
    assertMisfit(
        answer(good.toBuilder().addIds(11).addLogits(-3).build()),
        List.of(TWO),
        ROWS,
        "3 ids, 3 logits and 1 asked logits instead of 2, 2 and 1");
    assertMisfit(
        answer(good.toBuilder().clearAsked().build()), List.of(TWO), ROWS, "0 asked logits");
    assertMisfit(
        answer(good.toBuilder().setIds(1, 14).build()),
        List.of(TWO),
        ROWS,
        "candidate 14 of its vocabulary rows [10, 14)");
    assertMisfit(
        answer(good.toBuilder().setLogits(1, 5).build()),
        List.of(TWO),
        ROWS,
        "candidate 10 after 13, out of order");
    assertMisfit(
        answer(good.toBuilder().setIds(1, 13).setLogits(1, 4).build()),
        List.of(TWO),
        ROWS,
        "candidate 13 after 13");
  }

  private static ExecuteResponse answer(RowCandidates... rows) {
    return ExecuteResponse.newBuilder().addAllCandidates(List.of(rows)).build();
  }

  private static void assertMisfit(
      ExecuteResponse response, List<RowQuery> queries, IntRange rows, String part) {
    assertThatThrownBy(() -> AnswerCodec.decode(response, queries, rows))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL);
              assertThat(e.getMessage()).contains(part);
            });
  }

  private static byte[] floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }
}
