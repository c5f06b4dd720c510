package dev.caravan.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PlacementTest {
  @Test
  void numbersAtTheEndOfIdsAreRanks() {
    List<Member> members = members("worker-10", "worker-2", "worker-0", "worker-1");
    assertThat(ids(Placement.of(List.of(), 4, members)))
        .containsExactly("worker-0", "worker-1", "worker-2", "worker-10");
  }

  @Test
  void idsWithoutNumbersAreInTheOrderOfTheirLetters() {
    assertThat(ids(Placement.of(List.of(), 3, members("c", "a9", "a", "b-1x"))))
        .containsExactly("a", "a9", "b-1x");
  }

  @Test
  void workerThatIsBackHasItsShardAgainAndTheOthersKeepTheirs() {
    assertThat(ids(Placement.of(List.of("b", "c", "a"), 3, members("a", "b", "c"))))
        .containsExactly("b", "c", "a");
  }

  @Test
  void anotherWorkerTakesThePlaceOfOneThatIsGone() {
    assertThat(ids(Placement.of(List.of("a", "b", "c"), 3, members("c", "z", "y", "a"))))
        .containsExactly("a", "y", "c");
  }

  @Test
  void longNumbersAreNoProblem() {
    assertThat(
            ids(Placement.of(List.of(), 2, members("w99999999999999999999", "w9", "w12")))
                .getFirst())
        .isEqualTo("w9");
  }

  private static List<Member> members(String... ids) {
    return Stream.of(ids).map(id -> new Member(id, "127.0.0.1", 1, 1, 1, 1)).toList();
  }

  private static List<String> ids(List<Member> members) {
    return members.stream().map(Member::id).toList();
  }
}
