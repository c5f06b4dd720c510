package dev.caravan.worker.layer;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.Arrays;

/**
 * A step batch row by row: token, position and KV blocks of each, and which rows need logits.
 * Reused from step to step; confined to the step thread while it is set, then only read.
 */
public final class StepRows {
  private final RuntimeSettings settings;
  private final int vocabSize;
  private final int[] tokens;
  private final int[] positions;
  private final int[][] blocks;
  private final int[] logitsRows;
  private final RowQuery[] queries;
  private int rows;
  private int logitsCount;

  public StepRows(RuntimeSettings settings, int vocabSize) {
    this.settings = settings;
    this.vocabSize = vocabSize;
    this.tokens = new int[settings.maxBatchRows()];
    this.positions = new int[settings.maxBatchRows()];
    this.blocks = new int[settings.maxBatchRows()][];
    this.logitsRows = new int[settings.maxBatchRows()];
    this.queries = new RowQuery[settings.maxBatchRows()];
    Arrays.fill(queries, RowQuery.ALL);
  }

  /**
   * Takes a batch apart.
   *
   * @throws ClusterException INVALID_REQUEST with the numbers if it does not fit the settings
   */
  public void set(StepBatch batch) {
    if (batch.rows() < 1 || batch.rows() > settings.maxBatchRows()) {
      throw invalid(batch, "%d rows are not in 1..%d", batch.rows(), settings.maxBatchRows());
    }
    int maxLogitsRows = settings.maxLogitsRows(vocabSize);
    if (batch.logitsRows() > maxLogitsRows) {
      throw invalid(batch, "%d rows ask for logits, over %d", batch.logitsRows(), maxLogitsRows);
    }
    rows = 0;
    logitsCount = 0;
    for (SequenceChunk chunk : batch.chunks()) {
      add(batch, chunk);
    }
  }

  private void add(StepBatch batch, SequenceChunk chunk) {
    int count = chunk.tokens().length;
    int end = chunk.startPosition() + count;
    if (chunk.startPosition() < 0 || end < 0 || end > settings.contextLength()) {
      throw invalid(
          batch, "a chunk ends at position %d of a context of %d", end, settings.contextLength());
    }
    int neededBlocks = Math.ceilDiv(end, RuntimeSettings.BLOCK_POSITIONS);
    if (chunk.blocks().length < neededBlocks) {
      throw invalid(
          batch, "a chunk brings %d KV blocks and needs %d", chunk.blocks().length, neededBlocks);
    }
    for (int block : chunk.blocks()) {
      if (block < 0 || block >= settings.kvBlocks()) {
        throw invalid(batch, "KV block %d is not in 0..%d", block, settings.kvBlocks() - 1);
      }
    }
    for (int i = 0; i < count; i++) {
      if (chunk.tokens()[i] < 0 || chunk.tokens()[i] >= vocabSize) {
        throw invalid(
            batch, "token id %d is outside the vocabulary of %d", chunk.tokens()[i], vocabSize);
      }
      tokens[rows] = chunk.tokens()[i];
      positions[rows] = chunk.startPosition() + i;
      blocks[rows] = chunk.blocks();
      int query = i - (count - chunk.logitsRows());
      if (query >= 0) {
        addQuery(batch, chunk.queries().get(query));
      }
      rows++;
    }
  }

  private void addQuery(StepBatch batch, RowQuery query) {
    if (query instanceof RowQuery.Largest largest) {
      for (int id : largest.ids()) {
        if (id < 0 || id >= vocabSize) {
          throw invalid(batch, "asked id %d is outside the vocabulary of %d", id, vocabSize);
        }
      }
    }
    logitsRows[logitsCount] = rows;
    queries[logitsCount] = query;
    logitsCount++;
  }

  int rows() {
    return rows;
  }

  /** All rows of the step. */
  public StepSlice all() {
    return new StepSlice(this, 0, rows);
  }

  int token(int row) {
    return tokens[row];
  }

  int position(int row) {
    return positions[row];
  }

  /** KV blocks of the row's sequence: position p lives in blocks[p / 16]. */
  int[] blocks(int row) {
    return blocks[row];
  }

  int logitsCount() {
    return logitsCount;
  }

  /** Row of the batch whose logits are the i-th ones asked for. */
  int logitsRow(int i) {
    return logitsRows[i];
  }

  /** What the i-th of the rows that need logits has to answer. */
  RowQuery query(int i) {
    return queries[i];
  }

  private static ClusterException invalid(StepBatch batch, String message, Object... arguments) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "step %d: %s".formatted(batch.step(), message.formatted(arguments)));
  }
}
