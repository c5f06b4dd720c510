package dev.caravan.model.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VocabularyFilesTest {
  @TempDir Path directory;

  private Path write(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  private Vocabulary read(String content) throws IOException {
    return VocabularyFiles.read(write("tokenizer.json", content));
  }

  private void assertFails(ErrorCode code, String content, String... parts) {
    assertThatThrownBy(() -> read(content))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.getMessage()).contains("tokenizer.json").contains(parts);
            });
  }

  /** A byte-level file; the arguments are JSON. */
  private static String byteLevel(String vocab, String merges, String added) {
    return """
    {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
       {"type": "Split", "pattern": {"Regex": "%s"}},
       {"type": "ByteLevel"}]},
     "model": {"type": "BPE", "vocab": %s, "merges": %s},
     "added_tokens": %s}
    """
        .formatted(
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}"
                + "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+",
            vocab,
            merges,
            added);
  }

  private static String sentencePiece(String vocab, String merges, String added) {
    return """
    {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]},
     "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
               "vocab": %s, "merges": %s},
     "added_tokens": %s}
    """
        .formatted(vocab, merges, added);
  }

  @Test
  void readsMergesAsJoinedTextsAndAsPairs() throws IOException {
    String vocab = "{\"a\": 0, \"b\": 1, \"ab\": 2, \"abb\": 3}";
    String added =
        """
        [{"id": 4, "content": "<|begin_of_text|>", "special": true},
         {"id": 5, "content": "<|eot_id|>", "special": true},
         {"id": 6, "content": "[x]", "special": false}]
        """;
    Vocabulary joined = read(byteLevel(vocab, "[\"a b\", \"ab b\"]", added));
    Vocabulary pairs = read("\n " + byteLevel(vocab, "[[\"a\",\"b\"], [\"ab\",\"b\"]]", added));
    assertThat(joined).isEqualTo(pairs);
    assertThat(joined.algorithm()).isEqualTo(Algorithm.BYTE_LEVEL_BPE);
    assertThat(joined.merges()).containsExactly(new Merge(0, 1), new Merge(2, 1));
    assertThat(joined.tokens().subList(3, 7))
        .containsExactly(
            new Token("abb", 0, TokenType.NORMAL),
            new Token("<|begin_of_text|>", 0, TokenType.CONTROL),
            new Token("<|eot_id|>", 0, TokenType.CONTROL),
            new Token("[x]", 0, TokenType.USER_DEFINED));
    assertThat(joined.bosId()).hasValue(4);
    assertThat(joined.eosIds()).containsExactly(5);
  }

  @Test
  void scoresPiecesByTheFirstMergeThatMakesThem() throws IOException {
    Vocabulary vocabulary =
        read(
            sentencePiece(
                """
                {"<unk>": 0, "<s>": 1, "</s>": 2, "<0x00>": 3,
                 "a": 4, "b": 5, "ab": 6, "ba": 7, "aba": 8, "bb": 9}\
                """,
                "[\"b a\", \"a b\", \"ab a\", \"a ba\"]",
                """
                [{"id": 0, "content": "<unk>", "special": true},
                 {"id": 1, "content": "<s>", "special": true},
                 {"id": 2, "content": "</s>", "special": true}]\
                """));
    float none = Float.NEGATIVE_INFINITY;
    assertThat(vocabulary.tokens())
        .containsExactly(
            new Token("<unk>", 0, TokenType.UNKNOWN),
            new Token("<s>", 0, TokenType.CONTROL),
            new Token("</s>", 0, TokenType.CONTROL),
            new Token("<0x00>", 0, TokenType.BYTE),
            new Token("a", none, TokenType.NORMAL),
            new Token("b", none, TokenType.NORMAL),
            new Token("ab", -1, TokenType.NORMAL),
            new Token("ba", 0, TokenType.NORMAL),
            new Token("aba", -2, TokenType.NORMAL),
            new Token("bb", none, TokenType.NORMAL));
    assertThat(vocabulary.merges()).isEmpty();
    assertThat(vocabulary.bosId()).hasValue(1);
    assertThat(vocabulary.eosIds()).containsExactly(2);
  }

  @Test
  void refusesTokenizersThatNoLlamaHas() {
    assertFails(
        ErrorCode.INVALID_REQUEST,
        "{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}",
        "Unigram");
    assertFails(
        ErrorCode.INVALID_REQUEST,
        byteLevel("{\"a\": 0}", "[]", "[]").replace("{1,3}", "{1,2}"),
        "pre_tokenizer");
    assertFails(
        ErrorCode.INVALID_REQUEST,
        sentencePiece("{\"a\": 0}", "[]", "[]").replace("Prepend", "NFKC"),
        "byte fallback");
  }

  @Test
  void namesThePlaceOfDamage() {
    ErrorCode corrupt = ErrorCode.CHECKPOINT_CORRUPT;
    assertFails(corrupt, "{\"model\": ", "JSON");
    assertFails(corrupt, byteLevel("{\"a\": 0, \"b\": 2}", "[]", "[]"), "token id 1 of 3");
    assertFails(corrupt, byteLevel("{\"a\": 0, \"b\": 0}", "[]", "[]"), "\"a\" and \"b\"");
    assertFails(corrupt, byteLevel("{\"a\": 2000000000}", "[]", "[]"), "2000000000");
    assertFails(corrupt, byteLevel("{\"a\": -1}", "[]", "[]"), "-1");
    assertFails(corrupt, byteLevel("{\"a\": \"0\"}", "[]", "[]"), "model.vocab[\"a\"]");
    assertFails(corrupt, byteLevel("{\"a\": 0}", "[\"a a\"]", "[]"), "model.merges[0]");
    assertFails(corrupt, byteLevel("{\"a\": 0}", "[\"a\"]", "[]"), "model.merges[0]", "\"a\"");
    assertFails(corrupt, byteLevel("{\"a\": 0}", "[[1, 2]]", "[]"), "model.merges[0]", "[1,2]");
    assertFails(corrupt, byteLevel("{\"a\": 0}", "[]", "[{\"id\": 1}]"), "added_tokens[0]");
    assertFails(
        corrupt,
        byteLevel("{\"a\": 0}", "[]", "[{\"id\": 1, \"content\": \"a\"}]"),
        "\"a\" has ids 0 and 1");
    assertFails(corrupt, "{\"a\":" + "[".repeat(100_000), "JSON");
    assertFails(corrupt, "", "0 bytes");
    assertFails(corrupt, "GGUF", "neither");
  }

  @Test
  void aFileThatIsNotThereIsTheCallersMistake() {
    assertThatThrownBy(() -> VocabularyFiles.read(directory.resolve("absent.json")))
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
        .hasMessageContaining("absent.json");
  }

  @Test
  void readsTiktokenRanksAndAddsTheSpecialTokensOfLlama3() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int value = 0; value < 256; value++) {
      lines.append(line(new byte[] {(byte) value}, value));
    }
    lines.append(line("ab".getBytes(StandardCharsets.UTF_8), 256));
    lines.append(line("aba".getBytes(StandardCharsets.UTF_8), 257));
    lines.append(line("ba".getBytes(StandardCharsets.UTF_8), 258));
    Vocabulary vocabulary = VocabularyFiles.read(write("tokenizer.model", lines.toString()));
    assertThat(vocabulary.size()).isEqualTo(259 + 256);
    assertThat(vocabulary.tokens().get(32).text()).isEqualTo("\u0120");
    assertThat(vocabulary.merges())
        .containsExactly(
            new Merge('a', 'b'), new Merge('a', 258), new Merge(256, 'a'), new Merge('b', 'a'));
    assertThat(vocabulary.tokens().get(259 + 9).text()).isEqualTo("<|eot_id|>");
    assertThat(vocabulary.tokens().getLast().text()).isEqualTo("<|reserved_special_token_247|>");
    assertThat(vocabulary.bosId()).hasValue(259);
    assertThat(vocabulary.eosIds()).containsExactlyInAnyOrder(260, 267, 268);
  }

  private static String line(byte[] token, int rank) {
    return Base64.getEncoder().encodeToString(token) + " " + rank + "\n";
  }

  @Test
  void namesTheLineOfDamagedRanks() {
    ErrorCode corrupt = ErrorCode.CHECKPOINT_CORRUPT;
    assertFails(corrupt, "YQ== 0\nYQ= x\n", "line 2");
    assertFails(corrupt, "YQ== 0\nYg==\n", "line 2");
    assertFails(corrupt, "YQ== 0\nYg== 2\n", "token id 1 of 3");
    assertFails(corrupt, "YQ== 0\nYQ== 1\n", "ids 0 and 1");
    assertFails(corrupt, "YQ== 0\n" + "YWFh".repeat(100) + " 1\n", "300 bytes");
  }

  @Test
  void takesBeginEndAndTemplateFromTheOtherFilesOfADirectory() throws IOException {
    assertThat(VocabularyFiles.inDirectory(directory)).isEmpty();
    write(
        "tokenizer.json",
        byteLevel(
            "{\"a\": 0, \"b\": 1, \"c\": 2}",
            "[]",
            "[{\"id\": 3, \"content\": \"<|eot_id|>\", \"special\": true}]"));
    write("config.json", "{\"bos_token_id\": 1, \"eos_token_id\": 0}");
    assertThat(VocabularyFiles.inDirectory(directory).orElseThrow().bosId()).hasValue(1);
    write("generation_config.json", "{\"bos_token_id\": null, \"eos_token_id\": [2, 3]}");
    write(
        "tokenizer_config.json",
        """
        {"bos_token": {"content": "c"}, "eos_token": "b",
         "chat_template": [{"name": "tool_use", "template": "T"},
                           {"name": "default", "template": "D"}]}
        """);
    Vocabulary vocabulary = VocabularyFiles.inDirectory(directory).orElseThrow();
    assertThat(vocabulary.bosId()).hasValue(2);
    assertThat(vocabulary.eosIds()).containsExactlyInAnyOrder(0, 1, 2, 3);
    assertThat(vocabulary.chatTemplate()).hasValue("D");
    write("tokenizer_config.json", "{\"chat_template\": \"S\"}");
    assertThat(VocabularyFiles.inDirectory(directory).orElseThrow().chatTemplate()).hasValue("S");
    write("chat_template.jinja", "J");
    assertThat(VocabularyFiles.inDirectory(directory).orElseThrow().chatTemplate()).hasValue("J");
  }

  @Test
  void refusesSettingsThatNameNoToken() throws IOException {
    write("tokenizer.json", byteLevel("{\"a\": 0}", "[]", "[]"));
    write("generation_config.json", "{\"eos_token_id\": [0, 7]}");
    assertThatThrownBy(() -> VocabularyFiles.inDirectory(directory))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("generation_config.json")
        .hasMessageContaining("eos_token_id 7");
    Files.delete(directory.resolve("generation_config.json"));
    write("tokenizer_config.json", "{\"bos_token\": \"<s>\"}");
    assertThatThrownBy(() -> VocabularyFiles.inDirectory(directory))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("bos_token \"<s>\"");
  }

  @Test
  void byteAlphabetSpellsEveryByteOnce() {
    byte[] all = new byte[256];
    for (int value = 0; value < 256; value++) {
      all[value] = (byte) value;
    }
    String spelled = ByteAlphabet.spell(all);
    assertThat(spelled.chars().distinct().count()).isEqualTo(256);
    assertThat(spelled.charAt(0)).isEqualTo('\u0100');
    assertThat(spelled.charAt(' ')).isEqualTo('\u0120');
    assertThat(spelled.charAt('~')).isEqualTo('~');
    assertThat(spelled.charAt(0xAD)).isEqualTo('\u0143');
    for (int value = 0; value < 256; value++) {
      assertThat(ByteAlphabet.meaning(spelled.charAt(value))).hasValue(value);
    }
    assertThat(List.of(ByteAlphabet.meaning(' '), ByteAlphabet.meaning('\u0144')))
        .allMatch(meaning -> meaning.isEmpty());
    assertThat(ByteAlphabet.meaning('\u2581')).isEmpty();
  }
}
