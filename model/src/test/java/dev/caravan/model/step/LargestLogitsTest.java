package dev.caravan.model.step;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LargestLogitsTest {

  @Property(tries = 300, seed = "11")
  void selectsWhatSortingWouldPutFirst(
      @ForAll @Size(min = 1, max = 80) @FloatRange(min = -2, max = 2) float[] logits,
      @ForAll @IntRange(min = 1, max = 90) int count) {
    int[] sorted =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(
                Comparator.<Integer>comparingDouble(id -> -(logits[id] + 0f))
                    .thenComparing(Comparator.naturalOrder()))
            .limit(count)
            .mapToInt(Integer::intValue)
            .toArray();
    assertThat(LargestLogits.select(logits, count)).isEqualTo(sorted);
  }

  @Test
  void ordersInfinitiesZerosAndTies() {
    float[] logits = {-0f, Float.NEGATIVE_INFINITY, 0f, Float.MAX_VALUE, -1, -1e-40f, -1};
    assertThat(LargestLogits.select(logits, 7)).containsExactly(3, 0, 2, 5, 4, 6, 1);
  }
}
