package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class SentencePieceTokenizerTest {
  private static final int FIRST = 259;

  /** Ids from 259: the mark, a, b, c, ab, bc, abc, mark-a. */
  private static final Tokenizer ABC =
      Tokenizers.of(
          SmallVocabularies.sentencePiece(
              "\u2581", "a", "b", "c", "bc", "ab", "abc", "\u2581a", "aa", "aaaa"));

  private static int[] plain(String text) {
    return ABC.encode(text, SpecialTokens.PLAIN);
  }

  @Test
  void emptyTextHasNoToken() {
    assertThat(plain("")).isEmpty();
    assertThat(ABC.decode(new int[0])).isEmpty();
  }

  @Test
  void putsASpaceBeforeTheTextAndKeepsEveryOther() {
    assertThat(plain("b")).containsExactly(FIRST, FIRST + 2);
    assertThat(plain("  ")).containsExactly(FIRST, FIRST, FIRST);
    assertThat(plain("b a")).containsExactly(FIRST, FIRST + 2, FIRST + 7);
  }

  @Test
  void mergesTheHighestScoreFirstAndOfEqualsTheLeftmost() {
    // bc (-5) before ab (-6), then a + bc makes abc (-7) before the mark takes the a (-8).
    assertThat(plain("abc")).containsExactly(FIRST, FIRST + 6);
    assertThat(plain("cab")).containsExactly(FIRST, FIRST + 3, FIRST + 5);
    // Mark-a (-8) wins over aa (-9); the other four make two pairs and those one.
    assertThat(plain("aaaaa")).containsExactly(FIRST + 7, FIRST + 9);
    assertThat(plain("baaa")).containsExactly(FIRST, FIRST + 2, FIRST + 8, FIRST + 1);
  }

  @Test
  void spellsWhatIsNoPieceInBytes() {
    assertThat(plain("\u20ac")).containsExactly(FIRST, 3 + 0xE2, 3 + 0x82, 3 + 0xAC);
    assertThat(plain("\ud83e\udd99"))
        .containsExactly(FIRST, 3 + 0xF0, 3 + 0x9F, 3 + 0xA6, 3 + 0x99);
    assertThat(plain("\ud83e!")).containsExactly(FIRST, 3 + '?', 3 + '!');
    Tokenizer questions = Tokenizers.of(SmallVocabularies.sentencePiece("\u2581", "?"));
    assertThat(questions.encode("\ud83e", SpecialTokens.PLAIN)).containsExactly(FIRST, FIRST + 1);
  }

  @Test
  void parsesSpecialTokensOnlyWhenAskedAndPutsASpaceAfterThem() {
    assertThat(ABC.encode("<s>b</s><s>c", SpecialTokens.PARSED))
        .containsExactly(1, FIRST, FIRST + 2, 2, 1, FIRST, FIRST + 3);
    assertThat(plain("<s>")).containsExactly(FIRST, 3 + '<', 3 + 's', 3 + '>');
    assertThat(ABC.encode("<unk>", SpecialTokens.PARSED)).containsExactly(0);
    assertThat(ABC.encode("<0x41>", SpecialTokens.PARSED)).hasSize(7);
  }

  @Test
  void decodesWithoutTheFirstSpaceAndWithoutSpecialTokens() {
    assertThat(ABC.decode(new int[] {1, FIRST + 7, FIRST, FIRST + 2, 2})).isEqualTo("a b");
    assertThat(ABC.decode(new int[] {FIRST, FIRST, FIRST})).isEqualTo("  ");
    assertThat(ABC.bytes(1)).isEmpty();
    assertThat(ABC.bytes(FIRST + 7)).containsExactly(' ', 'a');
  }

  @Test
  void neverMakesAPieceOfScoreMinusInfinityNorAnUnusedOne() {
    List<Token> tokens = new ArrayList<>(SmallVocabularies.sentencePiece("a", "b").tokens());
    tokens.add(new Token("ab", Float.NEGATIVE_INFINITY, TokenType.NORMAL));
    tokens.add(new Token("ba", -1, TokenType.UNUSED));
    Tokenizer tokenizer = of(tokens);
    assertThat(tokenizer.encode("aba", SpecialTokens.PLAIN))
        .containsExactly(3 + 0xE2, 3 + 0x96, 3 + 0x81, FIRST, FIRST + 1, FIRST);
  }

  @Test
  void mergesAcrossCharactersThatAreNoPiecesAlone() {
    Tokenizer tokenizer = Tokenizers.of(SmallVocabularies.sentencePiece("\u2581", "xy", "xyz"));
    assertThat(tokenizer.encode("xyzy", SpecialTokens.PLAIN))
        .containsExactly(FIRST, FIRST + 2, 3 + 'y');
  }

  @Test
  void recognisesAddedTextAlwaysAndTheLongestOfSeveral() {
    List<Token> tokens = new ArrayList<>(SmallVocabularies.sentencePiece("\u2581").tokens());
    tokens.add(new Token("<x", 0, TokenType.USER_DEFINED));
    tokens.add(new Token("<x>", 0, TokenType.USER_DEFINED));
    assertThat(of(tokens).encode("<x><x<x", SpecialTokens.PLAIN))
        .containsExactly(FIRST + 2, FIRST + 1, FIRST + 1);
  }

  @Test
  void usesTheUnknownTokenWithoutByteTokens() {
    List<Token> tokens =
        List.of(new Token("<unk>", 0, TokenType.UNKNOWN), new Token("\u2581", 0, TokenType.NORMAL));
    assertThat(of(tokens).encode("\u20ac", SpecialTokens.PLAIN)).containsExactly(1, 0);
  }

  @Test
  void refusesAVocabularyThatCannotSpellEveryText() {
    assertCorrupt(List.of(new Token("a", 0, TokenType.NORMAL)), "byte 0x00");
    assertCorrupt(List.of(new Token("<0xZZ>", 0, TokenType.BYTE)), "<0xZZ>");
    assertCorrupt(
        List.of(
            new Token("<unk>", 0, TokenType.UNKNOWN),
            new Token("a".repeat(600), 0, TokenType.NORMAL)),
        "600 characters");
  }

  @Test
  void refusesAnIdThatIsNotInTheVocabulary() {
    for (int id : new int[] {-1, ABC.vocabulary().size()}) {
      assertThatThrownBy(() -> ABC.decode(new int[] {id}))
          .isInstanceOfSatisfying(
              ClusterException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
          .hasMessageContaining("token id " + id);
    }
  }

  @Test
  void aMegabyteWithoutABreakEndsSoon() {
    for (String text :
        List.of("a".repeat(1 << 20), " ".repeat(1 << 20), "\ud83e".repeat(1 << 20))) {
      int[] ids = Assertions.assertTimeoutPreemptively(Duration.ofSeconds(10), () -> plain(text));
      assertThat(ABC.decode(ids)).isEqualTo(text.replace('\ud83e', '?'));
    }
  }

  @Property(tries = 300, seed = "21")
  void decodesWhatItEncoded(@ForAll String text) {
    // The encoder replaces lone surrogates, and the space mark cannot be told from a space.
    String expected =
        new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
            .replace('\u2581', ' ');
    assertThat(ABC.decode(plain(text))).isEqualTo(expected);
  }

  private static Tokenizer of(List<Token> tokens) {
    Vocabulary vocabulary =
        SmallVocabularies.vocabulary(Algorithm.SENTENCEPIECE_BPE, tokens, List.of());
    return Tokenizers.of(vocabulary);
  }

  private static void assertCorrupt(List<Token> tokens, String part) {
    assertThatThrownBy(() -> of(tokens))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_CORRUPT))
        .hasMessageContaining(part);
  }
}
