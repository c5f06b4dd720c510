package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.coordinator.text.StreamingDecoder.Option;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  private static final Tokenizer BYTES =
      Tokenizers.of(
          SmallVocabularies.byteLevel(
              List.of("\u00e2 \u0124"), List.of(new Token("<|x|>", 0, TokenType.CONTROL))));
  private static final Tokenizer PIECES =
      Tokenizers.of(SmallVocabularies.sentencePiece("\u2581", "\u2581a", "b"));

  private static List<String> pieces(StreamingDecoder decoder, int... ids) {
    List<String> pieces = new ArrayList<>();
    for (int id : ids) {
      pieces.add(decoder.accept(id));
    }
    pieces.add(decoder.flush());
    return pieces;
  }

  @Test
  void holdsACharacterBackUntilItIsComplete() {
    assertThat(pieces(StreamingDecoder.of(BYTES), 0xF0, 0x9F, 0xA6, 0x99, 'a'))
        .containsExactly("", "", "", "\ud83e\udd99", "a", "");
    assertThat(pieces(StreamingDecoder.of(BYTES), 256, 0xAC)).containsExactly("", "\u20ac", "");
  }

  @Test
  void flushesAnIncompleteCharacterAsReplacementOnce() {
    StreamingDecoder decoder = StreamingDecoder.of(BYTES);
    assertThat(pieces(decoder, 'a', 0xE2, 0x82)).containsExactly("a", "", "", "\ufffd");
    assertThat(decoder.flush()).isEmpty();
  }

  @Test
  void replacesInvalidBytesAsSoonAsTheyAreKnownToBe() {
    assertThat(pieces(StreamingDecoder.of(BYTES), 0xFF, 0xE2, 'a'))
        .containsExactly("\ufffd", "", "\ufffda", "");
  }

  @Test
  void leavesOutTheFirstSpaceOfSentencePieceOnly() {
    int space = 259;
    int spaceA = 260;
    assertThat(pieces(StreamingDecoder.of(PIECES), 1, spaceA, spaceA))
        .containsExactly("", "a", " a", "");
    assertThat(pieces(StreamingDecoder.of(PIECES), space, space)).containsExactly("", " ", "");
    assertThat(pieces(StreamingDecoder.of(PIECES, Option.CONTINUES_TEXT), spaceA))
        .containsExactly(" a", "");
    assertThat(pieces(StreamingDecoder.of(BYTES), (int) ' ', 'a')).containsExactly(" ", "a", "");
  }

  @Test
  void showsSpecialTokensOnlyWhenAsked() {
    assertThat(pieces(StreamingDecoder.of(BYTES), 'a', 257)).containsExactly("a", "", "");
    assertThat(pieces(StreamingDecoder.of(BYTES, Option.SHOWS_SPECIAL), 'a', 257))
        .containsExactly("a", "<|x|>", "");
  }

  @Test
  void refusesAnIdThatIsNotInTheVocabulary() {
    assertThatThrownBy(() -> StreamingDecoder.of(BYTES).accept(258))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("token id 258");
  }

  @Provide
  Arbitrary<List<Integer>> byteSequences() {
    Arbitrary<Integer> nearUtf8 =
        Arbitraries.of(
            (int) 'a', (int) ' ', 0x80, 0x9F, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4,
            0xF8, 0xFF);
    Arbitrary<Integer> valid = Arbitraries.integers().between(0, 255);
    return Arbitraries.oneOf(nearUtf8, valid).list().ofMaxSize(24);
  }

  @Property(tries = 3000, seed = "25")
  void piecesJoinToTheTextOfAllAtOnce(@ForAll("byteSequences") List<Integer> bytes) {
    int[] ids = bytes.stream().mapToInt(Integer::intValue).toArray();
    assertThat(String.join("", pieces(StreamingDecoder.of(BYTES), ids)))
        .isEqualTo(BYTES.decode(ids));
    int[] byteTokens = bytes.stream().mapToInt(value -> 3 + value).toArray();
    assertThat(String.join("", pieces(StreamingDecoder.of(PIECES), byteTokens)))
        .isEqualTo(PIECES.decode(byteTokens));
  }

  @Property(tries = 300, seed = "26")
  void noPieceSplitsACharacter(@ForAll String text) {
    String sound = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    int[] ids = BYTES.encode(sound, SpecialTokens.PLAIN);
    for (String piece : pieces(StreamingDecoder.of(BYTES), ids)) {
      assertThat(piece.getBytes(StandardCharsets.UTF_8))
          .asString(StandardCharsets.UTF_8)
          .isEqualTo(piece);
    }
  }
}
