package dev.caravan.coordinator.cluster;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.GumbelDraw;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.LogitOrder;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Joins what the ranks of a vocabulary answer.
 *
 * @param vocabRows of each worker, in the plan's order; empty where it has none
 * @param vocabSize of the whole vocabulary
 */
public record RankAnswers(List<IntRange> vocabRows, int vocabSize) {

  public RankAnswers {
    vocabRows = List.copyOf(vocabRows);
  }

  /** What one rank answered to a row. */
  private record Part<A extends RowAnswer>(IntRange vocabRows, A answer) {}

  /**
   * Joins the answers of a step.
   *
   * @param answers of each worker, one per row that answers; none if it has no vocabulary rows
   * @return one per row that answers, over the whole vocabulary
   */
  public List<RowAnswer> join(StepBatch batch, List<List<RowAnswer>> answers) {
    List<RowAnswer> joined = new ArrayList<>();
    for (SequenceChunk chunk : batch.chunks()) {
      int position = chunk.startPosition() + chunk.tokens().length - chunk.logitsRows();
      for (RowQuery query : chunk.queries()) {
        joined.add(join(query, position, answers, joined.size()));
        position++;
      }
    }
    return joined;
  }

  private RowAnswer join(RowQuery query, int position, List<List<RowAnswer>> answers, int row) {
    return switch (query) {
      case RowQuery.All all ->
          new RowAnswer.All(concatenate(parts(RowAnswer.All.class, answers, row)));
      case RowQuery.Largest largest ->
          largest(largest, parts(RowAnswer.Candidates.class, answers, row));
      case RowQuery.Drawn drawn ->
          drawn(drawn, position, parts(RowAnswer.Candidates.class, answers, row));
    };
  }

  private <A extends RowAnswer> List<Part<A>> parts(
      Class<A> type, List<List<RowAnswer>> answers, int row) {
    List<Part<A>> parts = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      if (!vocabRows.get(i).isEmpty()) {
        parts.add(new Part<>(vocabRows.get(i), type.cast(answers.get(i).get(row))));
      }
    }
    return parts;
  }

  private float[] concatenate(List<Part<RowAnswer.All>> parts) {
    float[] logits = new float[vocabSize];
    for (Part<RowAnswer.All> part : parts) {
      System.arraycopy(
          part.answer().logits(), 0, logits, part.vocabRows().start(), part.vocabRows().size());
    }
    return logits;
  }

  /** Keeps those that come before everything that any rank kept to itself. */
  private static RowAnswer largest(RowQuery.Largest query, List<Part<RowAnswer.Candidates>> parts) {
    List<Long> keys = new ArrayList<>();
    long bound = Long.MIN_VALUE;
    LogitMass mass = LogitMass.NONE;
    for (Part<RowAnswer.Candidates> part : parts) {
      RowAnswer.Candidates answer = part.answer();
      long last = Long.MIN_VALUE;
      for (int i = 0; i < answer.ids().length; i++) {
        last = LogitOrder.key(answer.logits()[i], answer.ids()[i]);
        keys.add(last);
      }
      if (answer.ids().length < part.vocabRows().size()) {
        bound = Math.max(bound, last);
      }
      if (query.wantsMass()) {
        mass = mass.plus(answer.mass(), query.massTemperature());
      }
    }
    long least = bound;
    long[] kept =
        keys.stream().mapToLong(key -> key).filter(key -> key >= least).sorted().toArray();
    int[] ids = new int[kept.length];
    float[] logits = new float[kept.length];
    for (int i = 0; i < kept.length; i++) {
      ids[i] = LogitOrder.id(kept[kept.length - 1 - i]);
      logits[i] = LogitOrder.logit(kept[kept.length - 1 - i]);
    }
    return new RowAnswer.Candidates(ids, logits, asked(query, parts), mass);
  }

  private static float[] asked(RowQuery.Largest query, List<Part<RowAnswer.Candidates>> parts) {
    float[] asked = new float[query.ids().length];
    Arrays.fill(asked, Float.NaN);
    for (Part<RowAnswer.Candidates> part : parts) {
      int next = 0;
      for (int i = 0; i < asked.length; i++) {
        if (part.vocabRows().contains(query.ids()[i])) {
          asked[i] = part.answer().asked()[next];
          next++;
        }
      }
    }
    return asked;
  }

  /** The ranks drew with the same random numbers: the best of their draws is the draw over all. */
  private static RowAnswer drawn(
      RowQuery.Drawn query, int position, List<Part<RowAnswer.Candidates>> parts) {
    GumbelDraw draw = new GumbelDraw();
    draw.start(query.temperature(), query.seed(), position);
    RowAnswer.Candidates best = parts.getFirst().answer();
    for (Part<RowAnswer.Candidates> part : parts) {
      RowAnswer.Candidates drawn = part.answer();
      if (!(drawn.logits()[0] < Float.POSITIVE_INFINITY)) {
        return drawn;
      }
      draw.offer(drawn.logits()[0], drawn.ids()[0]);
      if (draw.id() == drawn.ids()[0]) {
        best = drawn;
      }
    }
    return best;
  }
}
