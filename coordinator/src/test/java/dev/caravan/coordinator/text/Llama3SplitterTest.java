package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;

class Llama3SplitterTest {
  private static final Pattern PUBLISHED =
      Pattern.compile(
          "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
              + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);

  private static List<String> split(String text) {
    List<String> pieces = new ArrayList<>();
    int end;
    for (int from = 0; from < text.length(); from = end) {
      end = Llama3Splitter.end(text, from);
      pieces.add(text.substring(from, end));
    }
    return pieces;
  }

  private static List<String> matched(String text) {
    List<String> pieces = new ArrayList<>();
    Matcher matcher = PUBLISHED.matcher(text);
    while (matcher.find()) {
      pieces.add(matcher.group());
    }
    return pieces;
  }

  @Test
  void cutsWordsNumbersPunctuationAndWhiteSpace() {
    assertThat(split("I'll  say 12345!\n\n  x"))
        .containsExactly("I", "'ll", " ", " say", " ", "123", "45", "!\n\n", " ", " x");
    assertThat(split("a \n b\t\n")).containsExactly("a", " \n", " b", "\t\n");
    assertThat(split("it'\u017f 'Tis x'")).containsExactly("it", "'\u017f", " '", "Tis", " x", "'");
  }

  @Provide
  Arbitrary<String> texts() {
    // Two of every kind that the expression tells apart, and what is easily taken for another.
    Arbitrary<Character> likely =
        Arbitraries.of(
            "a\u00e9\u01c5\u02b0\u6f22'stmdrvleSTLE\u017f\u212a19\u0663\u00bd\u216b \t\n\r\u000b"
                .chars()
                .mapToObj(c -> (char) c)
                .toList());
    Arbitrary<Character> confusing =
        Arbitraries.of(
            "\u0085\u00a0\u1680\u180e\u2007\u200b\u2028\u202f\u205f\u3000\ufeff\u001c\u001f!-_\u20ac\u0301\ud83e\udd99\ud835\udc00"
                .chars()
                .mapToObj(c -> (char) c)
                .toList());
    Arbitrary<String> character =
        Arbitraries.frequencyOf(
            Tuple.of(6, likely.map(String::valueOf)),
            Tuple.of(3, confusing.map(String::valueOf)),
            Tuple.of(1, Arbitraries.of("\ud83e\udd99", "\ud835\udc00", "\ud835\udfd8")),
            Tuple.of(1, Arbitraries.chars().all().map(String::valueOf)));
    Arbitrary<Integer> repeats =
        Arbitraries.frequency(Tuple.of(3, 1), Tuple.of(1, 2), Tuple.of(1, 5));
    return Combinators.combine(character, repeats)
        .as(String::repeat)
        .list()
        .ofMaxSize(20)
        .map(runs -> String.join("", runs));
  }

  @Property(tries = 5000, seed = "23")
  void cutsWhereThePublishedExpressionMatches(@ForAll("texts") String text) {
    assertThat(split(text)).isEqualTo(matched(text));
  }
}
