package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufVocabularyTest {
  private static final Map<String, Object> SENTENCE_PIECE =
      Map.of(
          "tokenizer.ggml.model",
          "llama",
          "tokenizer.ggml.tokens",
          List.of("<unk>", "<s>", "</s>", "<0x00>", "a", "pad", "b"),
          "tokenizer.ggml.scores",
          List.of(0f, 0f, 0f, 0f, -1f, 0f, -2.5f),
          "tokenizer.ggml.token_type",
          List.of(2, 3, 3, 6, 1, 5, 4),
          "tokenizer.ggml.bos_token_id",
          1,
          "tokenizer.ggml.eos_token_id",
          2,
          "tokenizer.chat_template",
          "{{ bos_token }}");

  private static final Map<String, Object> BYTE_LEVEL =
      Map.of(
          "tokenizer.ggml.model",
          "gpt2",
          "tokenizer.ggml.pre",
          "llama-bpe",
          "tokenizer.ggml.tokens",
          List.of("Ġ", "a", "Ġa", "<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "x"),
          "tokenizer.ggml.token_type",
          List.of(1, 1, 1, 3, 3, 1, 3),
          "tokenizer.ggml.merges",
          List.of("Ġ a"),
          "tokenizer.ggml.eos_token_id",
          6);

  @TempDir Path directory;

  @Test
  void readsSentencePiece() throws IOException {
    Vocabulary vocabulary = read(SENTENCE_PIECE);
    assertThat(vocabulary.algorithm()).isEqualTo(Algorithm.SENTENCEPIECE_BPE);
    assertThat(vocabulary.tokens())
        .containsExactly(
            new Token("<unk>", 0, TokenType.UNKNOWN),
            new Token("<s>", 0, TokenType.CONTROL),
            new Token("</s>", 0, TokenType.CONTROL),
            new Token("<0x00>", 0, TokenType.BYTE),
            new Token("a", -1, TokenType.NORMAL),
            new Token("pad", 0, TokenType.UNUSED),
            new Token("b", -2.5f, TokenType.USER_DEFINED));
    assertThat(vocabulary.merges()).isEmpty();
    assertThat(vocabulary.bosId()).hasValue(1);
    assertThat(vocabulary.eosIds()).containsExactly(2);
    assertThat(vocabulary.chatTemplate()).contains("{{ bos_token }}");
  }

  @Test
  void readsByteLevelWithItsMerges() throws IOException {
    Vocabulary vocabulary = read(BYTE_LEVEL);
    assertThat(vocabulary.algorithm()).isEqualTo(Algorithm.BYTE_LEVEL_BPE);
    assertThat(vocabulary.merges()).containsExactly(new Merge(0, 1));
    assertThat(vocabulary.bosId()).isEmpty();
  }

  @Test
  void controlTokensOfLlama3EndAGeneration() throws IOException {
    assertThat(read(BYTE_LEVEL).eosIds()).containsExactlyInAnyOrder(3, 4, 6);
  }

  @Test
  void modelWithoutBosTokenHasNone() throws IOException {
    assertThat(read(with(SENTENCE_PIECE, "tokenizer.ggml.add_bos_token", false)).bosId()).isEmpty();
  }

  @Test
  void unknownVocabularyIsRefusedOnlyWhenAskedFor() throws IOException {
    write(Map.of("tokenizer.ggml.model", "bert"));
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertInvalid(checkpoint::vocabulary, "\"bert\"", "\"gpt2\"");
    }
  }

  @Test
  void unknownPreTokeniserIsRefused() throws IOException {
    assertRefused(with(BYTE_LEVEL, "tokenizer.ggml.pre", "qwen2"), "\"qwen2\"");
  }

  @Test
  void mergeOfUnknownTokensIsCorrupt() throws IOException {
    assertBroken(with(BYTE_LEVEL, "tokenizer.ggml.merges", List.of("Ġ a", "a q")), "[1]", "a q");
  }

  @Test
  void scoresOfAnotherNumberAreCorrupt() throws IOException {
    assertBroken(with(SENTENCE_PIECE, "tokenizer.ggml.scores", List.of(0f)), "7 tokens, 1 scores");
  }

  @Test
  void unknownTokenTypeIsCorrupt() throws IOException {
    assertBroken(
        with(SENTENCE_PIECE, "tokenizer.ggml.token_type", List.of(1, 1, 1, 1, 1, 1, 9)),
        "token 6 is 9");
  }

  @Test
  void endTokenOutsideTheVocabularyIsCorrupt() throws IOException {
    assertBroken(with(SENTENCE_PIECE, "tokenizer.ggml.eos_token_id", 7), "eos_token_id is 7");
  }

  @Test
  void moreTokensThanEmbeddingRowsAreCorrupt() throws IOException {
    assertBroken(with(SENTENCE_PIECE, "llama.vocab_size", 6), "7 tokens, the model 6");
  }

  private void assertBroken(Map<String, Object> metadata, String... parts) throws IOException {
    write(metadata);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertCorrupt(checkpoint::vocabulary, parts);
    }
  }

  private void assertRefused(Map<String, Object> metadata, String... parts) throws IOException {
    write(metadata);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertInvalid(checkpoint::vocabulary, parts);
    }
  }

  private Vocabulary read(Map<String, Object> metadata) throws IOException {
    write(metadata);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      return checkpoint.vocabulary().orElseThrow();
    }
  }

  private void write(Map<String, Object> metadata) throws IOException {
    GgufCheckpointTest.writer(metadata).write(file());
  }

  private static Map<String, Object> with(Map<String, Object> base, String key, Object value) {
    Map<String, Object> changed = new HashMap<>(base);
    changed.put(key, value);
    return changed;
  }

  private Path file() {
    return directory.resolve("model.gguf");
  }
}
