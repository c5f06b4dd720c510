package dev.caravan.model.step;

import java.util.ArrayList;
import java.util.List;

/**
 * One forward pass over rows of several sequences; every worker gets the same one.
 *
 * @param epoch incarnation of the cluster; a message of another epoch is refused
 * @param step strictly increasing inside an epoch
 * @param chunks consecutive rows, sequence by sequence
 */
public record StepBatch(int epoch, long step, List<SequenceChunk> chunks) {

  public StepBatch {
    chunks = List.copyOf(chunks);
  }

  /** Rows (tokens) of the whole batch. */
  public int rows() {
    int rows = 0;
    for (SequenceChunk chunk : chunks) {
      rows += chunk.tokens().length;
    }
    return rows;
  }

  /** What the rows that answer were asked, in order. */
  public List<RowQuery> queries() {
    List<RowQuery> queries = new ArrayList<>(logitsRows());
    for (SequenceChunk chunk : chunks) {
      queries.addAll(chunk.queries());
    }
    return queries;
  }

  /** Rows that have to answer. */
  public int logitsRows() {
    int rows = 0;
    for (SequenceChunk chunk : chunks) {
      rows += chunk.logitsRows();
    }
    return rows;
  }
}
