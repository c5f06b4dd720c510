package dev.caravan.worker.layer;

import dev.caravan.model.step.GumbelDraw;
import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a query finds in some columns of a row of logits, or in several such ranges together.
 * Reused; confined to one thread at a time.
 */
final class VocabScan {
  private final Activations logits;
  private final int firstId;
  private final LargestLogits largest = new LargestLogits();
  private final GumbelDraw draw = new GumbelDraw();
  private RowQuery query = RowQuery.ALL;
  private float max;
  private double sum;

  /**
   * @param logits [maxRows, columns]
   * @param firstId of the vocabulary, in column 0
   */
  VocabScan(Activations logits, int firstId) {
    this.logits = logits;
    this.firstId = firstId;
  }

  /** Starts anew for columns of a row at a position of its sequence. */
  void start(RowQuery rowQuery, int position, int columns) {
    query = rowQuery;
    max = Float.NEGATIVE_INFINITY;
    sum = 0;
    switch (rowQuery) {
      case RowQuery.All all -> largest.start(0);
      case RowQuery.Largest wanted -> largest.start(Math.min(wanted.count(), columns));
      case RowQuery.Drawn drawn -> {
        // The largest shows a logit that is no number: no draw can.
        largest.start(1);
        draw.start(drawn.temperature(), drawn.seed(), position);
      }
    }
  }

  /** Scans the columns [from, to) of a row. */
  void scan(int row, int from, int to) {
    MemorySegment data = logits.data();
    long offset = logits.offset(row);
    switch (query) {
      case RowQuery.All all -> {}
      case RowQuery.Largest wanted -> {
        if (wanted.count() > 0) {
          for (int i = from; i < to; i++) {
            largest.offer(logit(data, offset, i), firstId + i);
          }
        }
        if (wanted.wantsMass()) {
          sum(data, offset, from, to, wanted.massTemperature());
        }
      }
      case RowQuery.Drawn drawn -> {
        for (int i = from; i < to; i++) {
          float logit = logit(data, offset, i);
          largest.offer(logit, firstId + i);
          draw.offer(logit, firstId + i);
        }
      }
    }
  }

  /** Adds what another scan of the same query found in later columns. */
  void add(VocabScan other) {
    largest.offerAll(other.largest);
    if (query instanceof RowQuery.Drawn && other.draw.id() >= 0) {
      draw.offer(other.draw.logit(), other.draw.id());
    }
    if (query instanceof RowQuery.Largest wanted && wanted.wantsMass()) {
      float larger = Math.max(max, other.max);
      sum =
          scaled(larger, wanted.massTemperature()) + other.scaled(larger, wanted.massTemperature());
      max = larger;
    }
  }

  /**
   * Returns what was found.
   *
   * @param asked logits of the query's ids
   */
  RowAnswer.Candidates answer(float[] asked) {
    largest.sort();
    int[] ids = largest.ids();
    float[] values = largest.logits();
    if (query instanceof RowQuery.Drawn && draw.id() >= 0 && isUsable(values[0])) {
      ids[0] = draw.id();
      values[0] = draw.logit();
    }
    boolean massWanted = query instanceof RowQuery.Largest wanted && wanted.wantsMass();
    LogitMass mass = massWanted ? new LogitMass(max, sum) : LogitMass.NONE;
    return new RowAnswer.Candidates(ids, values, asked, mass);
  }

  private void sum(MemorySegment data, long offset, int from, int to, double temperature) {
    float largestLogit = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      largestLogit = Math.max(largestLogit, logit(data, offset, i));
    }
    double total = 0;
    if (largestLogit != Float.NEGATIVE_INFINITY) {
      for (int i = from; i < to; i++) {
        total += Math.exp(((double) logit(data, offset, i) - largestLogit) / temperature);
      }
    }
    max = largestLogit;
    sum = total;
  }

  private double scaled(float newMax, double temperature) {
    return sum == 0 ? 0 : sum * Math.exp(((double) max - newMax) / temperature);
  }

  private static boolean isUsable(float logit) {
    return logit < Float.POSITIVE_INFINITY;
  }

  private static float logit(MemorySegment data, long offset, int column) {
    return data.get(ValueLayout.JAVA_FLOAT, offset + (long) column * Float.BYTES);
  }
}
