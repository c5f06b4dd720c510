package dev.caravan.coordinator.schedule;

import static dev.caravan.model.step.RuntimeSettings.BLOCK_POSITIONS;

import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
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
  private static final int NOT_BEGUN = -1;

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

  private final AnswerConsumer consumer;
  private final boolean reusesPrefix;
  private final boolean everyRowAnswers;
  private final int promptLength;
  private final List<BlockKey> keys = new ArrayList<>();
  private int[] ids;
  private int length;
  private int computed;
  private int nextAnswer;
  private int[] blocks = new int[4];
  private int blockCount;
  private int cachedTokens = NOT_BEGUN;
  private boolean finished;

  /**
   * @param prompt ids, at least one
   * @param promptLogits ALL to see an answer of every prompt row, LAST of the last one only
   * @param consumer takes the answers and says how the sequence goes on
   */
  public Sequence(int[] prompt, SequenceChunk.Logits promptLogits, AnswerConsumer consumer) {
    this(prompt, promptLogits, consumer, false);
  }

  /** A sequence whose rows answer all their logits. */
  public Sequence(int[] prompt, SequenceChunk.Logits promptLogits, LogitsConsumer consumer) {
    this(prompt, promptLogits, consumer, false);
  }

  private Sequence(
      int[] prompt,
      SequenceChunk.Logits promptLogits,
      AnswerConsumer consumer,
      boolean reusesPrefix) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("an empty prompt has no position to continue from");
    }
    this.ids = prompt.clone();
    this.promptLength = prompt.length;
    this.length = prompt.length;
    this.everyRowAnswers = promptLogits == SequenceChunk.Logits.ALL;
    this.nextAnswer = everyRowAnswers ? 0 : prompt.length - 1;
    this.consumer = consumer;
    this.reusesPrefix = reusesPrefix;
  }

  /**
   * A sequence that shares the KV blocks of a text that it has in common with others. Whoever asks
   * for answers of all prompt rows uses no block of others, since it needs those rows computed.
   */
  public static Sequence sharing(
      int[] prompt, SequenceChunk.Logits promptLogits, AnswerConsumer consumer) {
    return new Sequence(prompt, promptLogits, consumer, true);
  }

  public int length() {
    return length;
  }

  /** Tokens whose keys and values are not in the cache yet. */
  public int pending() {
    return length - computed;
  }

  /** Returns true once the last row of the prompt has answered. */
  public boolean promptIsComputed() {
    return nextAnswer >= promptLength;
  }

  boolean wantsAllLogits() {
    return nextAnswer < promptLength - 1;
  }

  public boolean isFinished() {
    return finished;
  }

  /** Ids of the prompt that the prefix cache held when the sequence first began. */
  public int cachedTokens() {
    return Math.max(cachedTokens, 0);
  }

  /** Returns true if it looked for its prompt in the prefix cache. */
  boolean looksForPrefix() {
    return reusesPrefix && !everyRowAnswers;
  }

  /** Returns true once it was given blocks for the first time. */
  public boolean hasBegun() {
    return cachedTokens != NOT_BEGUN;
  }

  /** Returns how many blocks it lacks for all its ids. */
  int missingBlocks() {
    return Math.ceilDiv(length, BLOCK_POSITIONS) - blockCount;
  }

  /**
   * Takes the blocks of all its ids, as many as can be from the prefix cache; takes none if there
   * are too few.
   *
   * @param spare so many blocks have to stay free
   * @return whether it has its blocks
   */
  boolean begin(BlockAllocator allocator, int spare) {
    if (reusesPrefix && !wantsAllLogits()) {
      sharePrefix(allocator);
    }
    if (missingBlocks() + spare > allocator.freeBlocks()) {
      releaseBlocks(allocator);
      return false;
    }
    allocateMissing(allocator);
    if (cachedTokens == NOT_BEGUN) {
      cachedTokens = computed;
    }
    return true;
  }

  /** The last id is never taken from the cache: its row has to answer. */
  private void sharePrefix(BlockAllocator allocator) {
    for (int index = 0; (index + 1) * BLOCK_POSITIONS < length; index++) {
      Integer block = allocator.share(key(index));
      if (block == null) {
        return;
      }
      addBlock(block);
      computed = blockCount * BLOCK_POSITIONS;
    }
  }

  /** Takes the blocks that it lacks; there have to be enough. */
  void allocateMissing(BlockAllocator allocator) {
    for (int missing = missingBlocks(); missing > 0; missing--) {
      addBlock(allocator.allocate());
    }
  }

  private void addBlock(int block) {
    if (blockCount == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * blockCount);
    }
    blocks[blockCount] = block;
    blockCount++;
  }

  private BlockKey key(int index) {
    while (keys.size() <= index) {
      BlockKey before = keys.isEmpty() ? BlockKey.START : keys.getLast();
      int from = keys.size() * BLOCK_POSITIONS;
      keys.add(before.next(ids, from, from + BLOCK_POSITIONS));
    }
    return keys.get(index);
  }

  /** Returns the next rows of the sequence, which has their blocks. */
  SequenceChunk nextChunk(int maxRows) {
    int rows = Math.min(maxRows, pending());
    int end = computed + rows;
    return new SequenceChunk(
        computed,
        Arrays.copyOfRange(ids, computed, end),
        Arrays.copyOf(blocks, Math.ceilDiv(end, BLOCK_POSITIONS)),
        queries(end));
  }

  private List<RowQuery> queries(int end) {
    List<RowQuery> queries = new ArrayList<>();
    for (int position = Math.max(computed, nextAnswer); position < end; position++) {
      queries.add(consumer.query(position));
    }
    return queries;
  }

  /** Takes note that a chunk is in the cache. */
  void advance(SequenceChunk chunk, BlockAllocator allocator) {
    int before = computed / BLOCK_POSITIONS;
    computed = chunk.startPosition() + chunk.tokens().length;
    if (reusesPrefix) {
      for (int index = before; index < computed / BLOCK_POSITIONS; index++) {
        allocator.publish(blocks[index], key(index));
      }
    }
  }

  /** Gives a row's answer to the consumer and adds the token that it returns. */
  void accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    int next = consumer.accept(position, answer, allLogits);
    nextAnswer = position + 1;
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

  /**
   * Gives all blocks back, the last one first, so that the cache loses the end of a text before its
   * beginning. What was computed has to be found again or computed again.
   */
  void releaseBlocks(BlockAllocator allocator) {
    while (blockCount > 0) {
      blockCount--;
      allocator.release(blocks[blockCount]);
    }
    computed = 0;
  }
}
