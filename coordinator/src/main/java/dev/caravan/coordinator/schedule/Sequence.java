package dev.caravan.coordinator.schedule;

import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * One text on its way through the cluster: its token ids are the truth, its KV blocks are derived
 * from them. Confined to the generation loop.
 */
public final class Sequence {

  /** Says what rows have to answer and goes on from it. Called on the generation loop. */
  public interface AnswerConsumer {
    /** Returned when the sequence ends. */
    int END = -1;

    /** Returned when there is nothing to add yet: rows of the prompt other than the last. */
    int NONE = -2;

    /** Returns what the row at a position has to answer. */
    RowQuery query(int position);

    /**
     * Takes the answer of the row at a position.
     *
     * @param answer owned by the consumer from now on
     * @param allLogits gets all logits of the row, from the cluster if need be; only in this call
     * @return the next token id, END or NONE
     */
    int accept(int position, RowAnswer answer, Supplier<float[]> allLogits);
  }

  /** What is done with all logits of a row. */
  public interface LogitsConsumer extends AnswerConsumer {
    /**
     * Takes the logits after a position.
     *
     * @param position of the row in its sequence
     * @param logits [vocabSize], owned by the consumer from now on
     * @return the next token id, END or NONE
     */
    int accept(int position, float[] logits);

    @Override
    default RowQuery query(int position) {
      return RowQuery.ALL;
    }

    @Override
    default int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
      return accept(position, allLogits.get());
    }
  }

  private final SequenceChunk.Logits promptLogits;
  private final AnswerConsumer consumer;
  private int[] ids;
  private int length;
  private int computed;
  private int[] blocks = new int[4];
  private int blockCount;
  private boolean finished;

  /**
   * @param prompt ids, at least one
   * @param promptLogits ALL to see an answer of every prompt row, LAST of the last one only
   * @param consumer takes the answers and says how the sequence goes on
   */
  public Sequence(int[] prompt, SequenceChunk.Logits promptLogits, AnswerConsumer consumer) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("an empty prompt has no position to continue from");
    }
    this.ids = prompt.clone();
    this.length = prompt.length;
    this.promptLogits = promptLogits;
    this.consumer = consumer;
  }

  /** A sequence whose rows answer all their logits. */
  public Sequence(int[] prompt, SequenceChunk.Logits promptLogits, LogitsConsumer consumer) {
    this(prompt, promptLogits, (AnswerConsumer) consumer);
  }

  public int length() {
    return length;
  }

  /** Tokens whose keys and values are not in the cache yet. */
  public int pending() {
    return length - computed;
  }

  boolean wantsAllLogits() {
    return promptLogits == SequenceChunk.Logits.ALL;
  }

  public boolean isFinished() {
    return finished;
  }

  /** Takes the next rows of the sequence, with the blocks that they need. */
  SequenceChunk nextChunk(int maxRows, BlockAllocator allocator) {
    int rows = Math.min(maxRows, pending());
    int end = computed + rows;
    int neededBlocks = Math.ceilDiv(end, RuntimeSettings.BLOCK_POSITIONS);
    while (blockCount < neededBlocks) {
      if (blockCount == blocks.length) {
        blocks = Arrays.copyOf(blocks, 2 * blockCount);
      }
      blocks[blockCount] = allocator.allocate();
      blockCount++;
    }
    return new SequenceChunk(
        computed,
        Arrays.copyOfRange(ids, computed, end),
        Arrays.copyOf(blocks, blockCount),
        queries(rows));
  }

  private List<RowQuery> queries(int rows) {
    int end = computed + rows;
    int first = wantsAllLogits() ? computed : end == length ? end - 1 : end;
    List<RowQuery> queries = new ArrayList<>(end - first);
    for (int position = first; position < end; position++) {
      queries.add(consumer.query(position));
    }
    return queries;
  }

  /** Takes note that a chunk is in the cache. */
  void advance(SequenceChunk chunk) {
    computed = chunk.startPosition() + chunk.tokens().length;
  }

  /** Gives a row's answer to the consumer and adds the token that it returns. */
  void accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    int next = consumer.accept(position, answer, allLogits);
    if (next == AnswerConsumer.END) {
      finished = true;
    } else if (next == AnswerConsumer.NONE) {
      if (position == length - 1) {
        throw new IllegalStateException("no decision after the last position " + position);
      }
    } else {
      if (length == ids.length) {
        ids = Arrays.copyOf(ids, 2 * length);
      }
      ids[length] = next;
      length++;
    }
  }

  /** Gives all blocks back. */
  void releaseBlocks(BlockAllocator allocator) {
    for (int i = 0; i < blockCount; i++) {
      allocator.release(blocks[i]);
    }
    blockCount = 0;
  }
}
