package dev.caravan.coordinator.schedule;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Divides the prompt rows of a step among the prompts: one half in the order in which they came,
 * the other half to those first that miss the fewest rows. So a long prompt does not hold up the
 * short ones behind it, nor do they hold it up, and of equal ones the first is done first.
 */
final class PromptShares {
  private PromptShares() {}

  /**
   * @param prompts in the order in which they came
   * @param rows to divide
   * @return rows of each, together at most as many
   */
  static int[] of(List<Sequence> prompts, int rows) {
    int[] pending = prompts.stream().mapToInt(Sequence::pending).toArray();
    int[] shares = new int[pending.length];
    int[] byArrival = IntStream.range(0, shares.length).toArray();
    int[] byLength =
        IntStream.of(byArrival)
            .boxed()
            .sorted(Comparator.comparingInt(i -> pending[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    int firstHalf = Math.ceilDiv(rows, 2);
    int left = rows - firstHalf + give(firstHalf, byArrival, pending, shares);
    give(left, byLength, pending, shares);
    return shares;
  }

  /** Returns what is left. */
  private static int give(int rows, int[] order, int[] pending, int[] shares) {
    int left = rows;
    for (int i : order) {
      int given = Math.min(left, pending[i] - shares[i]);
      shares[i] += given;
      left -= given;
    }
    return left;
  }
}
