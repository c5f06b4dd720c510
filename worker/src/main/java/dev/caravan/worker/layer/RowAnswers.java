package dev.caravan.worker.layer;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.worker.compute.Task;
import dev.caravan.worker.tensor.Activations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the rows of a step answer from the logits of the rank's vocabulary rows. Reused from step to
 * step; confined to the step thread.
 *
 * <p>The vocabulary rows are cut into parts of a fixed size, which the threads of the pool scan;
 * their findings are put together in order. So an answer depends on the shard alone, not on the
 * threads. Scanning allocates nothing once a query of its size has been seen.
 */
public final class RowAnswers {
  private static final int PART_IDS = 2048;

  private final StageKernels kernels;
  private final Activations logits;
  private final IntRange vocabRows;
  private final StepRows rows;
  private final int parts;
  private final List<VocabScan> scans = new ArrayList<>();
  private final VocabScan joined;
  private final Task scanPart = (task, thread) -> scan(task);

  /**
   * @param logits [maxRows, vocabRows.size()]
   * @param vocabRows of the rank
   * @param rows of the step, set before each call
   */
  RowAnswers(StageKernels kernels, Activations logits, IntRange vocabRows, StepRows rows) {
    if (logits.columns() != vocabRows.size()) {
      throw new IllegalArgumentException(
          "logits of %d columns for %d vocabulary rows"
              .formatted(logits.columns(), vocabRows.size()));
    }
    this.kernels = kernels;
    this.logits = logits;
    this.vocabRows = vocabRows;
    this.rows = rows;
    this.parts = Math.ceilDiv(vocabRows.size(), PART_IDS);
    this.joined = new VocabScan(logits, vocabRows.start());
  }

  /** Scans the logits of the rows that ask for less than all. */
  void select() {
    boolean needed = false;
    for (int i = 0; i < rows.logitsCount(); i++) {
      needed |= !(rows.query(i) instanceof RowQuery.All);
    }
    if (!needed) {
      return;
    }
    while (scans.size() < rows.logitsCount() * parts) {
      scans.add(new VocabScan(logits, vocabRows.start()));
    }
    kernels.run(rows.logitsCount() * parts, scanPart);
  }

  /** Rows that answer. */
  public int count() {
    return rows.logitsCount();
  }

  /** What the i-th row was asked. */
  public RowQuery query(int i) {
    return rows.query(i);
  }

  /** All logits, also of rows that were asked for less: row i, column by column. */
  public Activations logits() {
    return logits;
  }

  /**
   * Returns the candidates of the i-th row, which was asked for less than all logits.
   *
   * @return with the ids of the whole vocabulary; asked logits of those ids that the rank has
   */
  public RowAnswer.Candidates candidates(int i) {
    joined.start(rows.query(i), rows.position(rows.logitsRow(i)), vocabRows.size());
    for (int part = 0; part < parts; part++) {
      joined.add(scans.get(i * parts + part));
    }
    return joined.answer(asked(i));
  }

  private void scan(int task) {
    int i = task / parts;
    int from = task % parts * PART_IDS;
    int to = Math.min(from + PART_IDS, vocabRows.size());
    VocabScan scan = scans.get(task);
    scan.start(rows.query(i), rows.position(rows.logitsRow(i)), to - from);
    scan.scan(i, from, to);
  }

  private float[] asked(int i) {
    if (!(rows.query(i) instanceof RowQuery.Largest largest)) {
      return new float[0];
    }
    float[] asked = new float[largest.ids().length];
    int count = 0;
    for (int id : largest.ids()) {
      if (vocabRows.contains(id)) {
        asked[count] = logits.get(i, id - vocabRows.start());
        count++;
      }
    }
    return Arrays.copyOf(asked, count);
  }
}
