package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.EngineObserver;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AllObserversTest {

  /** A new event that is not passed on would silently be missed by all. */
  @Test
  void passesOnEveryEventOfAnObserver() {
    List<String> events =
        Stream.of(EngineObserver.class.getDeclaredMethods())
            .filter(Method::isDefault)
            .map(Method::getName)
            .toList();
    List<String> passedOn =
        Stream.of(AllObservers.class.getDeclaredMethods())
            .map(Method::getName)
            .filter(name -> name.startsWith("on"))
            .toList();
    assertThat(passedOn).containsExactlyInAnyOrderElementsOf(events);
  }

  @Test
  void tellsAllOfThem() {
    EngineCounts first = new EngineCounts(1, 16, () -> 0);
    EngineCounts second = new EngineCounts(1, 16, () -> 0);
    EngineObserver all = new AllObservers(List.of(first, second));
    all.onNextToken(5_000_000);
    assertThat(first.histograms().interToken().counts().count()).isEqualTo(1);
    assertThat(second.histograms().interToken().counts().count()).isEqualTo(1);
  }
}
