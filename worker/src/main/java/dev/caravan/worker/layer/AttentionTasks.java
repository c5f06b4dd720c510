package dev.caravan.worker.layer;

import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.KernelLimits;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * How the attention of a step is cut into tasks, for each key-value head alike: rows of a sequence
 * together, which share the loads of its cache; and where a few rows with long histories would
 * leave threads idle, their ranges of positions one by one (flash-decoding; Dao et al., 2023).
 *
 * <p>How it is cut never changes a result. Set once a step, then only read.
 */
public final class AttentionTasks {
  /** Tasks for each thread, about: as many as balance the load. */
  private static final int TASKS_PER_THREAD = 4;

  /** Range of a task that computes all of them. */
  static final int WHOLE = -1;

  private final int threads;
  private final int rowsTogether;
  private final AttentionParts parts;
  private final List<AttentionRows> whole = new ArrayList<>();
  private final List<AttentionRows> split = new ArrayList<>();
  private int ranges;

  /**
   * @param kvHeads local key-value heads
   */
  public AttentionTasks(Arena arena, int threads, int kvHeads, KernelLimits limits) {
    this.threads = threads;
    this.rowsTogether = limits.attentionRows();
    int maxParts =
        Math.ceilDiv(limits.positions(), AttentionRows.RANGE) + TASKS_PER_THREAD * threads;
    this.parts =
        new AttentionParts(arena, kvHeads, maxParts, limits.groupHeads(), limits.headDim());
  }

  /** Tasks of other rows in the same memory: the results of ranges are of one of both at a time. */
  AttentionTasks(AttentionTasks other) {
    this.threads = other.threads;
    this.rowsTogether = other.rowsTogether;
    this.parts = other.parts;
  }

  /** Cuts the attention of rows. */
  public void set(StepSlice rows) {
    whole.clear();
    split.clear();
    ranges = 0;
    long largest = totalPositions(rows) * parts.kvHeads() / ((long) TASKS_PER_THREAD * threads);
    int nextPart = 0;
    for (int row = 0; row < rows.count(); ) {
      int end = Math.min(row + rowsTogether, endOfSequence(rows, row));
      AttentionRows unit =
          new AttentionRows(row, end, rows.position(row), rows.blocks(row), nextPart);
      int needed = unit.part(unit.ranges());
      boolean isLarge = threads > 1 && (long) unit.count() * unit.positions() > largest;
      if (isLarge && unit.ranges() > 1 && needed <= parts.parts()) {
        split.add(unit);
        ranges += unit.ranges();
        nextPart = needed;
      } else {
        whole.add(unit);
      }
      row = end;
    }
  }

  /** Tasks of each key-value head. */
  int count() {
    return ranges + whole.size();
  }

  /** Rows of a task. */
  AttentionRows rows(int task) {
    if (task >= ranges) {
      return whole.get(task - ranges);
    }
    int local = task;
    int unit = 0;
    while (local >= split.get(unit).ranges()) {
      local -= split.get(unit).ranges();
      unit++;
    }
    return split.get(unit);
  }

  /** Range of a task, or {@link #WHOLE}. */
  int range(int task) {
    if (task >= ranges) {
      return WHOLE;
    }
    int local = task;
    for (int unit = 0; local >= split.get(unit).ranges(); unit++) {
      local -= split.get(unit).ranges();
    }
    return local;
  }

  /** Rows whose ranges are tasks of their own, to be put together. */
  List<AttentionRows> split() {
    return split;
  }

  /** Where the ranges' results go. */
  AttentionParts parts() {
    return parts;
  }

  private static long totalPositions(StepSlice rows) {
    long total = 0;
    for (int row = 0; row < rows.count(); row++) {
      total += rows.position(row) + 1;
    }
    return total;
  }

  /** First row after {@code row} that does not follow it in its sequence. */
  private static int endOfSequence(StepSlice rows, int row) {
    int end = row + 1;
    while (end < rows.count()
        && rows.blocks(end) == rows.blocks(row)
        && rows.position(end) == rows.position(end - 1) + 1) {
      end++;
    }
    return end;
  }
}
