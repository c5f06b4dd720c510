package dev.caravan.coordinator.schedule;

import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.SequenceChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Fills each step with rows of the running sequences: first the ones that decode, one row each,
 * then chunks of prompts, inside one token budget. Confined to the generation loop.
 */
public final class Scheduler {
  private final BlockAllocator allocator;
  private final int maxRows;
  private final int maxLogitsRows;
  private final List<Sequence> running = new ArrayList<>();

  /**
   * A sequence and its rows in a step.
   *
   * @param sequence whose rows they are
   * @param chunk the rows
   */
  public record Scheduled(Sequence sequence, SequenceChunk chunk) {}

  /**
   * @param maxRows token budget of a step
   * @param maxLogitsRows most rows of a step that may have to answer, so that answers stay small
   */
  public Scheduler(BlockAllocator allocator, int maxRows, int maxLogitsRows) {
    this.allocator = allocator;
    this.maxRows = maxRows;
    this.maxLogitsRows = maxLogitsRows;
  }

  public void add(Sequence sequence) {
    running.add(sequence);
  }

  public boolean isIdle() {
    return running.isEmpty();
  }

  /** Returns the rows of the next step; empty if there is nothing to do. */
  public List<Scheduled> next() {
    List<Scheduled> scheduled = new ArrayList<>();
    int budget = maxRows;
    int logitsBudget = maxLogitsRows;
    for (boolean decoding : new boolean[] {true, false}) {
      for (Sequence sequence : running) {
        if ((sequence.pending() == 1) == decoding && budget > 0 && logitsBudget > 0) {
          SequenceChunk chunk = sequence.nextChunk(rows(sequence, budget, logitsBudget), allocator);
          scheduled.add(new Scheduled(sequence, chunk));
          budget -= chunk.tokens().length;
          logitsBudget -= chunk.logitsRows();
        }
      }
    }
    return scheduled;
  }

  /**
   * Takes the answers of a step, in the order of its rows, and retires finished sequences.
   *
   * @param allLogits gets all logits of the row with that number among the rows that answer
   */
  public void accept(
      List<Scheduled> scheduled, List<RowAnswer> answers, IntFunction<float[]> allLogits) {
    int row = 0;
    for (Scheduled entry : scheduled) {
      SequenceChunk chunk = entry.chunk();
      entry.sequence().advance(chunk);
      int end = chunk.startPosition() + chunk.tokens().length;
      for (int position = end - chunk.logitsRows(); position < end; position++) {
        int number = row;
        RowAnswer answer = answers.get(row);
        entry
            .sequence()
            .accept(
                position,
                answer,
                () -> answer instanceof RowAnswer.All all ? all.logits() : allLogits.apply(number));
        row++;
      }
      if (entry.sequence().isFinished()) {
        remove(entry.sequence());
      }
    }
  }

  /** Takes a sequence out, finished or not, and gives its blocks back. */
  public void remove(Sequence sequence) {
    if (running.remove(sequence)) {
      sequence.releaseBlocks(allocator);
    }
  }

  private static int rows(Sequence sequence, int budget, int logitsBudget) {
    return sequence.wantsAllLogits() ? Math.min(budget, logitsBudget) : budget;
  }
}
