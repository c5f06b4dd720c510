package dev.caravan.bench.cluster;

import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import java.util.List;
import java.util.function.Supplier;

/** Asks every row of a prompt for one logit, and then for all of them after all. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RecallingSequence(int[] prompt, List<float[]> recalled) implements Sequence.AnswerConsumer {

  Sequence sequence() {
    return new Sequence(prompt, SequenceChunk.Logits.ALL, this);
  }

  @Override
  public RowQuery query(int position) {
    return new RowQuery.Largest(1);
  }

  @Override
  public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    recalled.add(allLogits.get());
    return position == prompt.length - 1 ? END : NONE;
  }
}
