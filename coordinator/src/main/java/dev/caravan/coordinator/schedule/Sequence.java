package dev.caravan.coordinator.schedule;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import java.util.Arrays;

/**
 * One text on its way through the cluster: its token ids are the truth, its KV blocks are derived
 * from them. Confined to the generation loop.
 */
public final class Sequence {

  /** What is done with the logits of a row. Called on the generation loop. */
  public interface LogitsConsumer {
    /** Returned when the sequence ends. */
    int END = -1;

    /** Returned when there is nothing to add yet: rows of the prompt other than the last. */
    int NONE = -2;

    /**
     * Takes the logits after a position.
     *
     * @param position of the row in its sequence
     * @param logits [vocabSize], owned by the consumer from now on
     * @return the next token id, END or NONE
     */
    int accept(int position, float[] logits);
  }

  private final SequenceChunk.Logits promptLogits;
  private final LogitsConsumer consumer;
  private int[] ids;
  private int length;
  private int computed;
  private int[] blocks = new int[4];
  private int blockCount;
  private boolean finished;

  /**
   * @param prompt ids, at least one
   * @param promptLogits ALL to see the logits of every prompt row, LAST for the last one only
   * @param consumer takes the logits and says how the sequence goes on
   */
  public Sequence(int[] prompt, SequenceChunk.Logits promptLogits, LogitsConsumer consumer) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("an empty prompt has no position to continue from");
    }
    this.ids = prompt.clone();
    this.length = prompt.length;
    this.promptLogits = promptLogits;
    this.consumer = consumer;
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
    SequenceChunk.Logits logits =
        wantsAllLogits()
            ? SequenceChunk.Logits.ALL
            : end == length ? SequenceChunk.Logits.LAST : SequenceChunk.Logits.NONE;
    return new SequenceChunk(
        computed,
        Arrays.copyOfRange(ids, computed, end),
        Arrays.copyOf(blocks, blockCount),
        logits);
  }

  /** Takes note that a chunk is in the cache. */
  void advance(SequenceChunk chunk) {
    computed = chunk.startPosition() + chunk.tokens().length;
  }

  /** Gives a row's logits to the consumer and adds the token that it returns. */
  void accept(int position, float[] logits) {
    int next = consumer.accept(position, logits);
    if (next == LogitsConsumer.END) {
      finished = true;
    } else if (next == LogitsConsumer.NONE) {
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
