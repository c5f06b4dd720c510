package dev.caravan.coordinator.schedule;

import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.SequenceChunk;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Fills each step with rows of the running sequences: first the ones that decode, one row each,
 * then chunks of prompts, inside one token budget. Confined to the generation loop.
 *
 * <p>Sequences begin in the order in which they were added, each with all KV blocks of its ids.
 * Where a decoding sequence finds no block for its next one, the youngest gives its blocks back and
 * waits at the head of the queue to be computed again (recompute preemption as in vLLM; Kwon et
 * al., 2023, arXiv:2309.06180, section 4.5): the oldest always goes on.
 */
public final class Scheduler {
  private final BlockAllocator allocator;
  private final int maxRows;
  private final int maxLogitsRows;
  private final int maxRunning;
  private final PrefillPacer pacer;
  private final List<Sequence> running = new ArrayList<>(); // oldest first
  private final Deque<Sequence> waiting = new ArrayDeque<>(); // oldest first
  private long preemptions;
  private long prefixQueriedTokens;
  private long prefixHitTokens;

  /**
   * A sequence and its rows in a step.
   *
   * @param sequence whose rows they are
   * @param chunk the rows
   * @param decodes true if it is the one row after what was computed, false for rows of a prompt
   */
  public record Scheduled(Sequence sequence, SequenceChunk chunk, boolean decodes) {}

  /** Runs at once as many sequences as there are blocks for; those that know that they fit. */
  public Scheduler(BlockAllocator allocator, int maxRows, int maxLogitsRows) {
    this(allocator, maxRows, maxLogitsRows, Integer.MAX_VALUE);
  }

  /**
   * @param maxRows token budget of a step
   * @param maxLogitsRows most rows of a step that may have to answer, so that answers stay small
   * @param maxRunning most sequences that run at once; if each is to decode in every step, not more
   *     than either budget
   */
  public Scheduler(BlockAllocator allocator, int maxRows, int maxLogitsRows, int maxRunning) {
    this.allocator = allocator;
    this.maxRows = maxRows;
    this.maxLogitsRows = maxLogitsRows;
    this.maxRunning = maxRunning;
    this.pacer = new PrefillPacer(maxRows);
  }

  /** Queues a sequence. */
  public void add(Sequence sequence) {
    waiting.addLast(sequence);
  }

  public boolean isIdle() {
    return running.isEmpty() && waiting.isEmpty();
  }

  public int running() {
    return running.size();
  }

  public int waiting() {
    return waiting.size();
  }

  /** KV blocks that sequences hold. */
  public int usedBlocks() {
    return allocator.blocks() - allocator.freeBlocks();
  }

  /** KV blocks that only the prefix cache holds. */
  public int cachedBlocks() {
    return allocator.cachedBlocks();
  }

  /** All KV blocks. */
  public int blocks() {
    return allocator.blocks();
  }

  /** Times that a sequence gave its blocks back to be computed again. */
  public long preemptions() {
    return preemptions;
  }

  /** Tokens that were looked up in the prefix cache. */
  public long prefixQueriedTokens() {
    return prefixQueriedTokens;
  }

  /** Of those, the ones that were found. */
  public long prefixHitTokens() {
    return prefixHitTokens;
  }

  /**
   * Begins as many waiting sequences as there are places and blocks for. Where the places are
   * bounded, each running one keeps a block to grow into, or the one that has just begun would be
   * the next to be preempted.
   *
   * @throws dev.caravan.model.error.ClusterException OVERLOADED if a sequence needs more blocks
   *     than there are
   */
  public void admit() {
    while (!waiting.isEmpty() && running.size() < maxRunning) {
      Sequence next = waiting.getFirst();
      boolean first = !next.hasBegun();
      int spare = maxRunning == Integer.MAX_VALUE ? 0 : running.size();
      if (!next.begin(allocator, spare)) {
        if (!running.isEmpty()) {
          return;
        }
        next.allocateMissing(allocator); // says how many blocks there are
      }
      waiting.removeFirst();
      running.addLast(next);
      if (first && next.looksForPrefix()) {
        prefixQueriedTokens += next.length();
        prefixHitTokens += next.cachedTokens();
      }
    }
  }

  /**
   * Returns the rows of the next step; empty if there is nothing to do.
   *
   * @throws dev.caravan.model.error.ClusterException OVERLOADED if a sequence that runs alone needs
   *     more blocks than there are
   */
  public List<Scheduled> next() {
    admit();
    List<Scheduled> scheduled = new ArrayList<>();
    for (int i = 0; i < running.size() && i < Math.min(maxRows, maxLogitsRows); i++) {
      Sequence sequence = running.get(i);
      if (sequence.pending() == 1 && makeRoom(sequence)) {
        scheduled.add(new Scheduled(sequence, sequence.nextChunk(1), true));
      }
    }
    addPrompts(scheduled);
    return scheduled;
  }

  /** Preempts the youngest until the sequence has its blocks; false if it was the youngest. */
  private boolean makeRoom(Sequence sequence) {
    while (sequence.missingBlocks() > allocator.freeBlocks() && running.size() > 1) {
      Sequence youngest = running.removeLast();
      youngest.releaseBlocks(allocator);
      waiting.addFirst(youngest);
      preemptions++;
      if (youngest == sequence) {
        return false;
      }
    }
    sequence.allocateMissing(allocator);
    return true;
  }

  private void addPrompts(List<Scheduled> scheduled) {
    List<Sequence> prompts = running.stream().filter(sequence -> sequence.pending() > 1).toList();
    int rows = maxRows - scheduled.size();
    if (!scheduled.isEmpty()) {
      rows = Math.min(rows, pacer.rows());
    }
    int logitsRows = maxLogitsRows - scheduled.size();
    int[] shares = PromptShares.of(prompts, rows);
    for (int i = 0; i < shares.length; i++) {
      int share = shares[i];
      if (prompts.get(i).wantsAllLogits()) {
        int behind = shares.length - i - 1; // each may need one row that answers
        share = Math.min(share, logitsRows - behind);
      }
      if (share > 0 && logitsRows > 0) {
        SequenceChunk chunk = prompts.get(i).nextChunk(share);
        scheduled.add(new Scheduled(prompts.get(i), chunk, false));
        logitsRows -= chunk.logitsRows();
      }
    }
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
      entry.sequence().advance(chunk, allocator);
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

  /**
   * Takes note that all KV blocks have lost their content. Running sequences give theirs back and
   * wait at the head of the queue, in their order, to be computed again.
   *
   * @return those that ran, oldest first
   */
  public List<Sequence> restart() {
    List<Sequence> interrupted = List.copyOf(running);
    running.clear();
    for (Sequence sequence : interrupted.reversed()) {
      sequence.releaseBlocks(allocator);
      waiting.addFirst(sequence);
    }
    allocator.forgetTexts();
    return interrupted;
  }

  /** Takes note of how long a step took: the next prompt rows are so many that none takes long. */
  public void paced(int decodeRows, int promptRows, long nanos) {
    pacer.observe(decodeRows, promptRows, nanos);
  }

  /** Takes a sequence out, finished or not, and gives its blocks back. */
  public void remove(Sequence sequence) {
    if (running.remove(sequence) || waiting.remove(sequence)) {
      sequence.releaseBlocks(allocator);
    }
  }
}
