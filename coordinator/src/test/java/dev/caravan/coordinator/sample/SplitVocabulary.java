package dev.caravan.coordinator.sample;

import dev.caravan.coordinator.cluster.RankAnswers;
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
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Answers queries as ranks with a part of the vocabulary each do, by sorting everything. */
public final class SplitVocabulary {
  private final List<IntRange> ranges;
  private final int vocabSize;

  public SplitVocabulary(int vocabSize, int... cuts) {
    this.vocabSize = vocabSize;
    this.ranges = new ArrayList<>();
    int start = 0;
    for (int cut : cuts) {
      ranges.add(new IntRange(start, cut));
      start = cut;
    }
    ranges.add(new IntRange(start, vocabSize));
  }

  public RowAnswer answer(RowQuery query, int position, float[] logits) {
    StepBatch batch =
        new StepBatch(
            1, 1, List.of(new SequenceChunk(position, new int[] {0}, new int[0], List.of(query))));
    List<List<RowAnswer>> answers = new ArrayList<>();
    for (IntRange range : ranges) {
      answers.add(range.isEmpty() ? List.of() : List.of(rank(query, position, logits, range)));
    }
    return new RankAnswers(ranges, vocabSize).join(batch, answers).getFirst();
  }

  private static RowAnswer rank(RowQuery query, int position, float[] logits, IntRange range) {
    return switch (query) {
      case RowQuery.All all ->
          new RowAnswer.All(Arrays.copyOfRange(logits, range.start(), range.end()));
      case RowQuery.Largest largest -> largest(largest, logits, range);
      case RowQuery.Drawn drawn -> {
        GumbelDraw draw = new GumbelDraw();
        draw.start(drawn.temperature(), drawn.seed(), position);
        for (int id = range.start(); id < range.end(); id++) {
          draw.offer(logits[id], id);
        }
        int[] first = draw.id() < 0 ? sorted(logits, range, 1) : new int[] {draw.id()};
        yield candidates(first, logits, new float[0], LogitMass.NONE);
      }
    };
  }

  private static RowAnswer largest(RowQuery.Largest query, float[] logits, IntRange range) {
    float[] asked = new float[query.ids().length];
    int count = 0;
    for (int id : query.ids()) {
      if (range.contains(id)) {
        asked[count] = logits[id];
        count++;
      }
    }
    LogitMass mass = LogitMass.NONE;
    // Each id by itself and backwards: another order of the sum than anyone else's.
    for (int id = range.end() - 1; id >= range.start() && query.wantsMass(); id--) {
      if (logits[id] > Float.NEGATIVE_INFINITY) {
        mass = mass.plus(new LogitMass(logits[id], 1), query.massTemperature());
      }
    }
    return candidates(
        sorted(logits, range, query.count()), logits, Arrays.copyOf(asked, count), mass);
  }

  private static RowAnswer candidates(int[] ids, float[] logits, float[] asked, LogitMass mass) {
    float[] values = new float[ids.length];
    for (int i = 0; i < ids.length; i++) {
      values[i] = logits[ids[i]];
    }
    return new RowAnswer.Candidates(ids, values, asked, mass);
  }

  private static int[] sorted(float[] logits, IntRange range, int count) {
    return IntStream.range(range.start(), range.end())
        .boxed()
        .sorted(Comparator.<Integer>comparingLong(id -> LogitOrder.key(logits[id], id)).reversed())
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
