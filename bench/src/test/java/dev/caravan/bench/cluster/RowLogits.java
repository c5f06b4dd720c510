package dev.caravan.bench.cluster;

import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.SequenceChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Takes the logits of every row of a prompt and of its greedy continuation. */
final class RowLogits implements Sequence.LogitsConsumer {
  private final int[] prompt;
  private final int newTokens;
  private final List<float[]> rows = new ArrayList<>();

  RowLogits(int[] prompt, int newTokens) {
    this.prompt = prompt;
    this.newTokens = newTokens;
  }

  /** Returns ids that differ from seed to seed. */
  static int[] prompt(int seed, int length) {
    return new Random(seed).ints(length, 0, TinyModels.VOCAB_SIZE).toArray();
  }

  /** Runs it without company. */
  List<float[]> runAlone(GenerationLoop loop) {
    loop.run(sequence());
    return rows();
  }

  /** Runs it while other sequences come, are prefilled, decode and go. */
  List<float[]> runInCompany(GenerationLoop loop) {
    loop.submit(new RowLogits(prompt(101, 40), 30).sequence());
    loop.submit(new RowLogits(prompt(102, 3), 2).sequence());
    loop.step();
    Sequence mine = sequence();
    loop.submit(mine);
    for (int step = 0; !mine.isFinished(); step++) {
      if (step < 6) {
        loop.submit(new RowLogits(prompt(103 + step, 1 + 9 * step), step).sequence());
      }
      loop.step();
    }
    return rows();
  }

  Sequence sequence() {
    return new Sequence(prompt, SequenceChunk.Logits.ALL, this);
  }

  List<float[]> rows() {
    return rows;
  }

  @Override
  public int accept(int position, float[] logits) {
    if (position != rows.size()) {
      throw new IllegalStateException("row %d after %d rows".formatted(position, rows.size()));
    }
    rows.add(logits);
    if (position < prompt.length - 1) {
      return NONE;
    }
    return position == prompt.length - 1 + newTokens ? END : argmax(logits);
  }

  static int argmax(float[] logits) {
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    return best;
  }
}
