package dev.caravan.coordinator.api.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What comes through up to a stop text. */
final class StopTextsTest {

  @Test
  void holdsBackWhatMayBeTheBeginningOfAStopText() {
    StopTexts stops = new StopTexts(List.of("\n\nUser:", "END"));
    assertThat(stops.accept("Hello\n")).isEqualTo("Hello");
    assertThat(stops.accept("\nU")).isEmpty();
    assertThat(stops.accept("x E")).isEqualTo("\n\nUx ");
    assertThat(stops.accept("N")).isEmpty();
    assertThat(stops.flush()).isEqualTo("EN");
    assertThat(stops.found()).isFalse();
  }

  @Test
  void endsAtTheStopTextThatIsCompleteFirst() {
    StopTexts stops = new StopTexts(List.of("abcd", "bc"));
    assertThat(stops.accept("xabcdy")).isEqualTo("xa");
    assertThat(stops.found()).isTrue();
  }

  @Test
  void theLongestOfThoseThatEndTogetherWins() {
    StopTexts stops = new StopTexts(List.of("c", "abc"));
    assertThat(stops.accept("xab")).isEqualTo("x");
    assertThat(stops.accept("c")).isEmpty();
    assertThat(stops.found()).isTrue();
  }

  @Test
  void piecesMakeNoDifference() {
    Random random = new Random(20261122);
    for (int round = 0; round < 2_000; round++) {
      List<String> stops = List.of(text(random, 1 + random.nextInt(4)), text(random, 3));
      String text = text(random, 30);
      String expected = uncut(stops, text);
      StopTexts cut = new StopTexts(stops);
      StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length() && !cut.found(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        shown.append(cut.accept(text.substring(at, end)));
        at = end;
      }
      if (!cut.found()) {
        shown.append(cut.flush());
      }
      assertThat(shown.toString()).as("%s in %s", stops, text).isEqualTo(expected);
    }
  }

  /** The specification: the shortest beginning of the text that ends with a stop text ends it. */
  private static String uncut(List<String> stops, String text) {
    for (int end = 1; end <= text.length(); end++) {
      String beginning = text.substring(0, end);
      int longest = 0;
      for (String stop : stops) {
        if (beginning.endsWith(stop)) {
          longest = Math.max(longest, stop.length());
        }
      }
      if (longest > 0) {
        return text.substring(0, end - longest);
      }
    }
    return text;
  }

  private static String text(Random random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(3)));
    }
    return text.toString();
  }
}
