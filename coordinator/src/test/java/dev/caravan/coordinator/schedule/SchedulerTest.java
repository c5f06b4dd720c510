package dev.caravan.coordinator.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.coordinator.schedule.Scheduler.Scheduled;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.SequenceChunk.Logits;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SchedulerTest {
  private static final int BLOCKS = 64;

  private final BlockAllocator allocator = new BlockAllocator(BLOCKS);

  /** Continues with token 9 for ever. */
  private static final Sequence.LogitsConsumer ENDLESS = (position, logits) -> 9;

  @Test
  void cutsAPromptIntoChunksAndAsksForLogitsOfTheLastRowOnly() {
    Scheduler scheduler = new Scheduler(allocator, 4, 100);
    scheduler.add(new Sequence(ids(10), Logits.LAST, ENDLESS));
    SequenceChunk first = only(step(scheduler));
    SequenceChunk second = only(step(scheduler));
    SequenceChunk third = only(step(scheduler));
    SequenceChunk decode = only(step(scheduler));
    assertThat(first.tokens()).containsExactly(0, 1, 2, 3);
    assertThat(second.tokens()).containsExactly(4, 5, 6, 7);
    assertThat(third.tokens()).containsExactly(8, 9);
    assertThat(decode.tokens()).containsExactly(9);
    assertThat(List.of(first, second, third, decode))
        .extracting(SequenceChunk::startPosition)
        .containsExactly(0, 4, 8, 10);
    assertThat(List.of(first, second, third, decode))
        .extracting(SequenceChunk::logitsRows)
        .containsExactly(0, 0, 1, 1);
  }

  @Test
  void decodingSequencesComeBeforePromptsInsideTheBudget() {
    Scheduler scheduler = new Scheduler(allocator, 5, 100);
    Sequence prompt = new Sequence(ids(20), Logits.LAST, ENDLESS);
    Sequence decoding = new Sequence(ids(3), Logits.LAST, ENDLESS);
    scheduler.add(decoding);
    step(scheduler);
    scheduler.remove(decoding);
    scheduler.add(prompt);
    Sequence other = new Sequence(ids(1), Logits.LAST, ENDLESS);
    scheduler.add(other);
    List<Scheduled> scheduled = step(scheduler);
    assertThat(scheduled).extracting(Scheduled::sequence).containsExactly(other, prompt);
    assertThat(scheduled.get(0).chunk().tokens()).hasSize(1);
    assertThat(scheduled.get(1).chunk().tokens()).hasSize(4);
  }

  @Test
  void neverSchedulesMoreRowsThanTheBudget() {
    Scheduler scheduler = new Scheduler(allocator, 3, 100);
    for (int i = 0; i < 5; i++) {
      scheduler.add(new Sequence(ids(1), Logits.LAST, ENDLESS));
    }
    assertThat(step(scheduler)).hasSize(3);
  }

  @Test
  void rowsThatAllWantLogitsAreBoundedByTheLogitsBudget() {
    List<Integer> seen = new ArrayList<>();
    Scheduler scheduler = new Scheduler(allocator, 100, 4);
    scheduler.add(
        new Sequence(
            ids(6),
            Logits.ALL,
            (position, logits) -> {
              seen.add(position);
              return position == 5 ? Sequence.LogitsConsumer.END : Sequence.LogitsConsumer.NONE;
            }));
    assertThat(only(step(scheduler)).logitsRows()).isEqualTo(4);
    assertThat(only(step(scheduler)).logitsRows()).isEqualTo(2);
    assertThat(seen).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(scheduler.isIdle()).isTrue();
  }

  @Test
  void blockTableGrowsByOneBlockForEverySixteenPositions() {
    Scheduler scheduler = new Scheduler(allocator, 16, 100);
    scheduler.add(new Sequence(ids(33), Logits.LAST, ENDLESS));
    assertThat(only(step(scheduler)).blocks()).containsExactly(0);
    assertThat(only(step(scheduler)).blocks()).containsExactly(0, 1);
    assertThat(only(step(scheduler)).blocks()).containsExactly(0, 1, 2);
    assertThat(allocator.freeBlocks()).isEqualTo(BLOCKS - 3);
  }

  @Test
  void sequencesNeverShareABlock() {
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    for (int i = 0; i < 3; i++) {
      scheduler.add(new Sequence(ids(20), Logits.LAST, ENDLESS));
    }
    List<Integer> blocks =
        step(scheduler).stream()
            .flatMap(entry -> IntStream.of(entry.chunk().blocks()).boxed())
            .toList();
    assertThat(blocks).hasSize(6).doesNotHaveDuplicates();
  }

  @Test
  void finishedSequenceGivesItsBlocksBack() {
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    Sequence sequence =
        new Sequence(ids(40), Logits.LAST, (position, logits) -> Sequence.LogitsConsumer.END);
    scheduler.add(sequence);
    step(scheduler);
    assertThat(sequence.isFinished()).isTrue();
    assertThat(scheduler.isIdle()).isTrue();
    assertThat(allocator.freeBlocks()).isEqualTo(BLOCKS);
  }

  @Test
  void removingTwiceGivesBlocksBackOnce() {
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    Sequence sequence = new Sequence(ids(40), Logits.LAST, ENDLESS);
    scheduler.add(sequence);
    step(scheduler);
    scheduler.remove(sequence);
    scheduler.remove(sequence);
    assertThat(allocator.freeBlocks()).isEqualTo(BLOCKS);
  }

  @Test
  void logitsGoToTheirRowsInTheOrderOfTheBatch() {
    List<String> heard = new ArrayList<>();
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    for (String name : List.of("a", "b")) {
      scheduler.add(
          new Sequence(
              ids(2),
              Logits.ALL,
              (position, logits) -> {
                heard.add(name + position + "=" + logits[0]);
                return position == 1 ? Sequence.LogitsConsumer.END : Sequence.LogitsConsumer.NONE;
              }));
    }
    List<Scheduled> scheduled = scheduler.next();
    List<RowAnswer> answers = new ArrayList<>();
    for (int row = 1; row <= 4; row++) {
      answers.add(new RowAnswer.All(new float[] {row}));
    }
    scheduler.accept(scheduled, answers, SchedulerTest::noRecall);
    assertThat(heard).containsExactly("a0=1.0", "a1=2.0", "b0=3.0", "b1=4.0");
  }

  @Test
  void everyRowIsAskedWhatItsConsumerWantsAndMayRecallItsOwnLogits() {
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    List<String> heard = new ArrayList<>();
    for (int sequence = 0; sequence < 2; sequence++) {
      scheduler.add(new Sequence(ids(2), Logits.ALL, new Recalling(heard)));
    }
    List<Scheduled> scheduled = scheduler.next();
    RowAnswer few =
        new RowAnswer.Candidates(new int[0], new float[0], new float[0], LogitMass.NONE);
    scheduler.accept(scheduled, List.of(few, few, few, few), row -> new float[] {100 + row});
    assertThat(scheduled.get(1).chunk().queries())
        .containsExactly(new RowQuery.Drawn(1, 0), new RowQuery.Drawn(1, 1));
    assertThat(heard).containsExactly("0=100.0", "1=101.0", "0=102.0", "1=103.0");
  }

  private record Recalling(List<String> heard) implements Sequence.AnswerConsumer {
    @Override
    public RowQuery query(int position) {
      return new RowQuery.Drawn(1, position);
    }

    @Override
    public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
      heard.add(position + "=" + allLogits.get()[0]);
      return position == 1 ? END : NONE;
    }
  }

  @Test
  void saysSoWhenBlocksRunOut() {
    Scheduler scheduler = new Scheduler(new BlockAllocator(1), 100, 100);
    scheduler.add(new Sequence(ids(17), Logits.LAST, ENDLESS));
    assertThatThrownBy(scheduler::next)
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("KV blocks");
  }

  @Test
  void emptyPromptIsRefused() {
    assertThatThrownBy(() -> new Sequence(new int[0], Logits.LAST, ENDLESS))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void undecidedEndOfASequenceIsADefect() {
    Scheduler scheduler = new Scheduler(allocator, 100, 100);
    scheduler.add(
        new Sequence(ids(2), Logits.LAST, (position, logits) -> Sequence.LogitsConsumer.NONE));
    assertThatThrownBy(() -> step(scheduler)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void promptsThatJoinDecodingSequencesAreCutSmall() {
    Scheduler scheduler = new Scheduler(allocator, 512, 100);
    scheduler.add(new Sequence(ids(1), Logits.LAST, ENDLESS));
    step(scheduler);
    scheduler.add(new Sequence(ids(600), Logits.LAST, ENDLESS));
    List<Scheduled> scheduled = step(scheduler);
    assertThat(scheduled.get(0).decodes()).isTrue();
    assertThat(scheduled.get(1).decodes()).isFalse();
    assertThat(scheduled.get(1).chunk().tokens()).hasSize(16);
    scheduler.paced(1, 0, 1000);
    scheduler.paced(1, 32, 1000 + 32 * 100);
    assertThat(step(scheduler).get(1).chunk().tokens()).hasSize(10);
  }

  @Test
  void shortPromptIsDoneBesideALongOne() {
    Scheduler scheduler = new Scheduler(allocator, 64, 100);
    scheduler.add(new Sequence(ids(600), Logits.LAST, ENDLESS));
    scheduler.add(new Sequence(ids(20), Logits.LAST, ENDLESS));
    List<Scheduled> scheduled = step(scheduler);
    assertThat(scheduled.get(0).chunk().tokens()).hasSize(44);
    assertThat(scheduled.get(1).chunk().logitsRows()).isOne();
  }

  @Test
  void promptThatIsScoredLeavesTheOthersTheirRowThatAnswers() {
    Scheduler scheduler = new Scheduler(allocator, 64, 3);
    scheduler.add(
        new Sequence(ids(60), Logits.ALL, (position, logits) -> Sequence.LogitsConsumer.NONE));
    scheduler.add(new Sequence(ids(4), Logits.LAST, ENDLESS));
    scheduler.add(new Sequence(ids(5), Logits.LAST, ENDLESS));
    assertThat(step(scheduler))
        .extracting(entry -> entry.chunk().logitsRows())
        .containsExactly(1, 1, 1);
  }

  @Test
  void noMoreSequencesRunAtOnceThanPlaces() {
    Scheduler scheduler = new Scheduler(allocator, 64, 64, 2);
    Sequence first = new Sequence(ids(3), Logits.LAST, ENDLESS);
    scheduler.add(first);
    scheduler.add(new Sequence(ids(3), Logits.LAST, ENDLESS));
    Sequence third = new Sequence(ids(3), Logits.LAST, ENDLESS);
    scheduler.add(third);
    assertThat(step(scheduler)).hasSize(2);
    assertThat(scheduler.waiting()).isEqualTo(1);
    assertThat(third.hasBegun()).isFalse();
    scheduler.remove(first);
    assertThat(step(scheduler)).hasSize(2);
    assertThat(third.hasBegun()).isTrue();
  }

  @Test
  void sequenceBeginsOnlyWhenTheRunningOnesKeepABlockToGrow() {
    Scheduler scheduler = new Scheduler(new BlockAllocator(4), 64, 64, 9);
    Sequence first = new Sequence(ids(16), Logits.LAST, ENDLESS);
    scheduler.add(first);
    Sequence second = new Sequence(ids(48), Logits.LAST, ENDLESS);
    scheduler.add(second);
    scheduler.add(new Sequence(ids(1), Logits.LAST, ENDLESS));
    assertThat(step(scheduler)).hasSize(1);
    assertThat(second.hasBegun()).isFalse();
    // In the order in which they came, though the third would find a block.
    assertThat(scheduler.waiting()).isEqualTo(2);
    scheduler.remove(first);
    step(scheduler);
    assertThat(second.hasBegun()).isTrue();
  }

  @Test
  void preemptsTheYoungestWhenNoBlockIsFreeAndComputesItAgain() {
    Scheduler scheduler = new Scheduler(new BlockAllocator(4), 64, 64);
    Sequence old = new Sequence(ids(16), Logits.LAST, ENDLESS);
    Sequence young = new Sequence(ids(15), Logits.LAST, ENDLESS);
    scheduler.add(old);
    scheduler.add(young);
    for (int i = 0; i < 17; i++) {
      step(scheduler);
    }
    assertThat(scheduler.preemptions()).isZero();
    assertThat(old.length()).isEqualTo(33);
    assertThat(young.length()).isEqualTo(32);
    List<Scheduled> scheduled = step(scheduler);
    assertThat(scheduler.preemptions()).isEqualTo(1);
    assertThat(scheduled).extracting(Scheduled::sequence).containsExactly(old);
    assertThat(scheduler.waiting()).isEqualTo(1);
    scheduler.remove(old);
    SequenceChunk again = only(step(scheduler));
    assertThat(again.startPosition()).isZero();
    assertThat(again.tokens()).hasSize(32).endsWith(9, 9);
    assertThat(again.logitsRows()).isOne();
    assertThat(young.length()).isEqualTo(33);
  }

  @Test
  void preemptedSequenceComesBeforeThoseThatNeverRan() {
    Scheduler scheduler = new Scheduler(new BlockAllocator(3), 64, 64, 2);
    Sequence old = new Sequence(ids(16), Logits.LAST, ENDLESS);
    Sequence young = new Sequence(ids(1), Logits.LAST, ENDLESS);
    Sequence late = new Sequence(ids(2), Logits.LAST, ENDLESS);
    List.of(old, young, late).forEach(scheduler::add);
    while (scheduler.preemptions() == 0) {
      step(scheduler);
    }
    scheduler.remove(old);
    assertThat(step(scheduler)).extracting(Scheduled::sequence).containsExactly(young, late);
  }

  @Test
  void sharesFullBlocksOfTheSameBeginningOnceTheyAreComputed() {
    Scheduler scheduler = new Scheduler(allocator, 20, 100);
    scheduler.add(Sequence.sharing(ids(40), Logits.LAST, ENDLESS));
    step(scheduler);
    // Only one block is computed yet.
    Sequence second = Sequence.sharing(ids(40), Logits.LAST, ENDLESS);
    scheduler.add(second);
    scheduler.admit();
    assertThat(second.cachedTokens()).isEqualTo(16);
    assertThat(allocator.freeBlocks()).isEqualTo(BLOCKS - 5);
    scheduler.add(Sequence.sharing(ids(17), Logits.ALL, ENDLESS));
    scheduler.add(new Sequence(ids(17), Logits.LAST, ENDLESS));
    scheduler.admit();
    assertThat(allocator.freeBlocks()).isEqualTo(BLOCKS - 9);
    assertThat(scheduler.prefixQueriedTokens()).isEqualTo(80);
    assertThat(scheduler.prefixHitTokens()).isEqualTo(16);
  }

  /** Runs a step whose logits are all empty. */
  private static List<Scheduled> step(Scheduler scheduler) {
    List<Scheduled> scheduled = scheduler.next();
    List<RowAnswer> answers = new ArrayList<>();
    for (Scheduled entry : scheduled) {
      for (int row = 0; row < entry.chunk().logitsRows(); row++) {
        answers.add(new RowAnswer.All(new float[0]));
      }
    }
    scheduler.accept(scheduled, answers, SchedulerTest::noRecall);
    return scheduled;
  }

  private static float[] noRecall(int row) {
    throw new AssertionError("all logits of row %d are there".formatted(row));
  }

  private static SequenceChunk only(List<Scheduled> scheduled) {
    assertThat(scheduled).hasSize(1);
    return scheduled.getFirst().chunk();
  }

  private static int[] ids(int count) {
    return IntStream.range(0, count).toArray();
  }
}
