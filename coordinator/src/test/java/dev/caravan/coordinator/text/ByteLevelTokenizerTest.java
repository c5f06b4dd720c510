package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
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

class ByteLevelTokenizerTest {
  private static final String SPACE = "\u0120";

  /** Ids from 256: bc, ab, abc, space-a, aa, aaaa, space-abc; specials from 263. */
  private static final Tokenizer ABC =
      Tokenizers.of(
          SmallVocabularies.byteLevel(
              List.of("b c", "a b", "ab c", SPACE + " a", "a a", "aa aa", SPACE + "a bc"),
              List.of(
                  new Token("<|x|>", 0, TokenType.CONTROL),
                  new Token("<|x|>y", 0, TokenType.CONTROL),
                  new Token("[tool]", 0, TokenType.USER_DEFINED))));

  private static int[] plain(String text) {
    return ABC.encode(text, SpecialTokens.PLAIN);
  }

  @Test
  void emptyTextHasNoToken() {
    assertThat(plain("")).isEmpty();
  }

  @Test
  void mergesTheLowestRankFirst() {
    assertThat(plain("cab")).containsExactly('c', 257);
    assertThat(plain("abcb")).containsExactly('a', 256, 'b');
    assertThat(plain("aaaaaaa")).containsExactly(261, 260, 'a');
  }

  @Test
  void takesAWholeTokenEvenIfNoMergesLeadToIt() {
    // By merges, bc comes first and a + bc is no pair.
    assertThat(plain("abc")).containsExactly(258);
    assertThat(plain("b abc")).containsExactly('b', 262);
  }

  @Test
  void neverMergesAcrossPieces() {
    assertThat(plain("aa1aa")).containsExactly(260, '1', 260);
    assertThat(plain("b  a")).containsExactly('b', ' ', 259);
  }

  @Test
  void parsesTheLongestSpecialTokenOnlyWhenAsked() {
    assertThat(ABC.encode("a<|x|>ya<|x|>", SpecialTokens.PARSED))
        .containsExactly('a', 264, 'a', 263);
    assertThat(plain("<|x|>")).containsExactly('<', '|', 'x', '|', '>');
    assertThat(plain("b[tool]b")).containsExactly('b', 265, 'b');
    assertThat(ABC.encode("<|x|", SpecialTokens.PARSED)).containsExactly('<', '|', 'x', '|');
  }

  @Test
  void decodesBytesAddedTextAndNothingForSpecialTokens() {
    assertThat(ABC.decode(new int[] {0xE2, 0x82, 0xAC, 263, 265})).isEqualTo("\u20ac[tool]");
    assertThat(ABC.decode(new int[] {0xE2, 0x82, 'a'})).isEqualTo("\ufffda");
    assertThat(ABC.decode(plain(" a"))).isEqualTo(" a");
    assertThat(ABC.bytes(263)).isEmpty();
    assertThat(ABC.bytes(259)).containsExactly(' ', 'a');
  }

  @Test
  void bytesAreTheCallersOwn() {
    ABC.bytes('a')[0] = 'z';
    assertThat(ABC.decode(new int[] {'a'})).isEqualTo("a");
  }

  @Test
  void refusesAVocabularyThatContradictsItself() {
    List<Token> tokens = SmallVocabularies.byteLevel(List.of(), List.of()).tokens();
    assertCorrupt(tokens.subList(0, 255), List.of(), "byte 0xFF");
    assertCorrupt(tokens, List.of(new Merge('a', 256)), "merge 0 joins ids 97 and 256");
    assertCorrupt(tokens, List.of(new Merge(-1, 'a')), "merge 0 joins ids -1 and 97");
    assertCorrupt(tokens, List.of(new Merge('a', 'b')), "merge 0 makes \"ab\"");
  }

  private static void assertCorrupt(List<Token> tokens, List<Merge> merges, String part) {
    assertThatThrownBy(() ->
            Tokenizers.of(SmallVocabularies.vocabulary(Algorithm.BYTE_LEVEL_BPE, tokens, merges)))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_CORRUPT))
        .hasMessageContaining(part);
  }

  @Test
  void aMegabyteWithoutABreakEndsSoon() {
    List<String> texts = new ArrayList<>();
    for (String unit : List.of("a", "ab", " ", "\n", "1", "'", "<|x", "<|x|>y", "\u00a0\n")) {
      texts.add(unit.repeat((1 << 20) / unit.length()));
    }
    for (String text : texts) {
      int[] ids =
          Assertions.assertTimeoutPreemptively(
              Duration.ofSeconds(10),
              () -> {
                ABC.encode(text, SpecialTokens.PARSED);
                return plain(text);
              });
      assertThat(ABC.decode(ids)).isEqualTo(text);
    }
  }

  @Property(tries = 300, seed = "22")
  void decodesWhatItEncoded(@ForAll String text) {
    String expected = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    assertThat(ABC.decode(plain(text))).isEqualTo(expected);
  }
}
