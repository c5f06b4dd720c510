package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PairMergerTest {

  private static int[] merged(PairTable pairs, int... symbols) {
    int[] copy = symbols.clone();
    return Arrays.copyOf(copy, PairMerger.merge(pairs, copy, copy.length));
  }

  /** The rule itself: again and again the lowest rank, leftmost. */
  private static int[] oneByOne(PairTable pairs, int[] symbols) {
    List<Integer> run = new ArrayList<>(Arrays.stream(symbols).boxed().toList());
    while (true) {
      int best = -1;
      long found = Long.MAX_VALUE;
      for (int i = 0; i + 1 < run.size(); i++) {
        long pair = pairs.find(run.get(i), run.get(i + 1));
        if (pair != PairTable.NONE && (best < 0 || PairTable.rank(pair) < PairTable.rank(found))) {
          best = i;
          found = pair;
        }
      }
      if (best < 0) {
        return run.stream().mapToInt(Integer::intValue).toArray();
      }
      run.set(best, PairTable.merged(found));
      run.remove(best + 1);
    }
  }

  @Test
  void tableKeepsTheLowerRankAndNegativeSymbolsApart() {
    PairTable pairs = new PairTable();
    pairs.put(1, 2, 9, 100);
    pairs.put(1, 2, 4, 101);
    pairs.put(1, 2, 5, 102);
    pairs.put(-1, 2, 7, 103);
    assertThat(PairTable.merged(pairs.find(1, 2))).isEqualTo(101);
    assertThat(PairTable.rank(pairs.find(1, 2))).isEqualTo(4);
    assertThat(PairTable.merged(pairs.find(-1, 2))).isEqualTo(103);
    assertThat(pairs.find(2, 1)).isEqualTo(PairTable.NONE);
    assertThat(pairs.find(0, 0)).isEqualTo(PairTable.NONE);
  }

  @Test
  void tableFindsAllPairsAfterGrowing() {
    PairTable pairs = new PairTable();
    for (int i = 0; i < 10_000; i++) {
      pairs.put(i % 100, i / 100, i, i + 1);
    }
    for (int i = 0; i < 10_000; i++) {
      assertThat(PairTable.merged(pairs.find(i % 100, i / 100))).isEqualTo(i + 1);
    }
  }

  @Test
  void leavesShortRunsAlone() {
    assertThat(merged(new PairTable())).isEmpty();
    assertThat(merged(new PairTable(), 5)).containsExactly(5);
    assertThat(merged(new PairTable(), 5, 6)).containsExactly(5, 6);
  }

  @Property(tries = 1000, seed = "24")
  void mergesAsOneByOneWould(
      @ForAll long tableSeed,
      @ForAll @Size(max = 60) List<@IntRange(min = 0, max = 3) Integer> symbols) {
    Random random = new Random(tableSeed);
    PairTable pairs = new PairTable();
    for (int i = 0; i < 25; i++) {
      // Several pairs may share a rank, as the ways to make one SentencePiece piece do.
      pairs.put(random.nextInt(8), random.nextInt(8), random.nextInt(12), 4 + random.nextInt(8));
    }
    int[] run = symbols.stream().mapToInt(Integer::intValue).toArray();
    assertThat(merged(pairs, run)).isEqualTo(oneByOne(pairs, run));
  }
}
