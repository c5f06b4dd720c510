package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.SequenceChunk.Logits;
import org.junit.jupiter.api.Test;

class StepRowsTest {
  private static final int VOCAB_SIZE = 100;
  private static final int[] BLOCKS = {3, 1};

  /** 16 rows, 64 positions, 4 blocks. */
  private final StepRows rows = new StepRows(Batches.settings(1, 16, 64), VOCAB_SIZE);

  @Test
  void takesChunksApartRowByRow() {
    rows.set(
        Batches.batch(
            1,
            new SequenceChunk(17, new int[] {5}, BLOCKS, Logits.LAST),
            new SequenceChunk(0, new int[] {7, 8, 9}, new int[] {2}, Logits.ALL),
            new SequenceChunk(2, new int[] {10, 11}, new int[] {0}, Logits.NONE),
            new SequenceChunk(4, new int[] {12, 13}, new int[] {0}, Logits.LAST)));
    assertThat(rows.rows()).isEqualTo(8);
    assertThat(rows.token(3)).isEqualTo(9);
    assertThat(rows.position(0)).isEqualTo(17);
    assertThat(rows.position(3)).isEqualTo(2);
    assertThat(rows.blocks(0)).isEqualTo(BLOCKS);
    assertThat(rows.logitsCount()).isEqualTo(5);
    assertThat(rows.logitsRow(0)).isZero();
    assertThat(rows.logitsRow(1)).isEqualTo(1);
    assertThat(rows.logitsRow(4)).isEqualTo(7);
    rows.set(Batches.batch(2, new SequenceChunk(0, new int[] {1}, new int[] {0}, Logits.NONE)));
    assertThat(rows.rows()).isEqualTo(1);
    assertThat(rows.logitsCount()).isZero();
  }

  @Test
  void refusesTokensOutsideTheVocabulary() {
    refuses("token id 100 is outside the vocabulary of 100", 0, new int[] {100}, 0);
    refuses("token id -1 is outside the vocabulary of 100", 0, new int[] {-1}, 0);
  }

  @Test
  void refusesPositionsOutsideTheContext() {
    refuses("ends at position 65 of a context of 64", 64, new int[] {1}, 0, 1, 2, 3, 0);
    refuses("position 0", -1, new int[] {1}, 0);
    refuses("position -2147483648", Integer.MAX_VALUE, new int[] {1}, 0);
  }

  @Test
  void refusesBlocksThatAreMissingOrDoNotExist() {
    refuses("brings 1 KV blocks and needs 2", 16, new int[] {1}, 0);
    refuses("KV block 4 is not in 0..3", 0, new int[] {1}, 4);
    refuses("KV block -1 is not in 0..3", 0, new int[] {1}, -1);
  }

  @Test
  void refusesTooManyRowsAndNone() {
    refuses("17 rows are not in 1..16", 0, new int[17], 0, 1);
    assertThatThrownBy(() -> rows.set(Batches.batch(9)))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("step 9: 0 rows are not in 1..16");
  }

  @Test
  void refusesMoreLogitsThanAnAnswerHolds() {
    StepRows wide = new StepRows(Batches.settings(1, 16, 64), 4 << 20);
    SequenceChunk three = new SequenceChunk(0, new int[3], new int[] {0}, Logits.ALL);
    assertThatThrownBy(() -> wide.set(Batches.batch(1, three)))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("3 rows ask for logits, over 2");
    wide.set(Batches.batch(1, new SequenceChunk(0, new int[3], new int[] {0}, Logits.LAST)));
    assertThat(wide.logitsCount()).isEqualTo(1);
  }

  private void refuses(String message, int startPosition, int[] tokens, int... blocks) {
    assertThatThrownBy(() ->
            rows.set(
                Batches.batch(9, new SequenceChunk(startPosition, tokens, blocks, Logits.LAST))))
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
        .hasMessageStartingWith("step 9: ")
        .hasMessageContaining(message);
  }
}
