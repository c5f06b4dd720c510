package dev.caravan.model.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class VocabularyFilesReferenceTest {

  private static Path tokenizers() {
    return ReferenceFiles.directory(VocabularyFilesReferenceTest.class).resolve("tokenizers");
  }

  @Test
  void llama3RanksGiveTheTokensAndMergesOfItsJson() {
    Vocabulary json = VocabularyFiles.read(tokenizers().resolve("llama3/tokenizer.json"));
    Vocabulary ranks = VocabularyFiles.read(tokenizers().resolve("llama3/tokenizer.model"));
    assertThat(json.algorithm()).isEqualTo(Algorithm.BYTE_LEVEL_BPE);
    assertThat(json.size()).isEqualTo(128256);
    assertThat(json.merges()).hasSize(280147);
    assertThat(ranks).isEqualTo(json);
    assertThat(json.bosId()).hasValue(128000);
    assertThat(json.eosIds()).containsExactlyInAnyOrder(128001, 128008, 128009);
  }

  @Test
  void llama2ModelAndJsonHoldTheSameTokens() {
    Vocabulary json = VocabularyFiles.read(tokenizers().resolve("llama2/tokenizer.json"));
    Vocabulary model = VocabularyFiles.read(tokenizers().resolve("llama2/tokenizer.model"));
    assertThat(json.algorithm()).isEqualTo(Algorithm.SENTENCEPIECE_BPE);
    assertThat(json.size()).isEqualTo(32000);
    assertThat(model.tokens().stream().map(Token::text).toList())
        .isEqualTo(json.tokens().stream().map(Token::text).toList());
    assertThat(model.tokens().stream().map(Token::type).toList())
        .isEqualTo(json.tokens().stream().map(Token::type).toList());
    assertThat(model.tokens().get(0).type()).isEqualTo(TokenType.UNKNOWN);
    assertThat(model.tokens().get(3)).isEqualTo(new Token("<0x00>", 0, TokenType.BYTE));
    assertThat(model.bosId()).isEqualTo(json.bosId()).hasValue(1);
    assertThat(model.eosIds()).isEqualTo(json.eosIds()).containsExactly(2);
  }

  @Test
  void directoryOfAHuggingFaceModelGivesItsVocabulary() {
    Path model =
        ReferenceFiles.directory(VocabularyFilesReferenceTest.class)
            .resolve("models/stories260K/stories260K-hf-f32");
    Vocabulary vocabulary = VocabularyFiles.inDirectory(model).orElseThrow();
    assertThat(vocabulary.size()).isEqualTo(512);
    assertThat(vocabulary.bosId()).hasValue(1);
    assertThat(vocabulary.eosIds()).containsExactly(2);
    assertThat(vocabulary.chatTemplate()).isEmpty();
  }
}
