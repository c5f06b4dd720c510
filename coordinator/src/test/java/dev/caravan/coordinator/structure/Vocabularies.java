package dev.caravan.coordinator.structure;

import dev.caravan.coordinator.text.SmallVocabularies;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Tokenizers of both kinds, with tokens that cross the joints of JSON. */
final class Vocabularies {
  private static final String DEMO = "/dev/caravan/coordinator/demo/caravan-demo.gguf";

  private Vocabularies() {}

  /** Byte fallback, spaces inside of tokens, tokens of half a value. */
  static Tokenizer sentencePiece() {
    return Tokenizers.of(
        SmallVocabularies.sentencePiece(
            "\u2581",
            "\u2581{",
            "{}",
            "{\"",
            "\":",
            "\":\u2581\"",
            "\",",
            "\",\u2581\"",
            "\"}",
            "}}",
            "},\u2581{",
            "[[",
            "]]",
            "],",
            "\u2581[",
            "name",
            "ab",
            "abc",
            "12",
            "123",
            "0.",
            "-1",
            "true",
            "\u2581true",
            "fal",
            "null",
            "\\u",
            "\\\"",
            "\\n",
            "é",
            "日",
            "日本",
            "🦙",
            "e+",
            "\u2581\u2581",
            "\u2581\u2581\u2581\u2581",
            "kind",
            "\"kind",
            "a\":",
            "9999",
            "2026-",
            "{\"name\":\u2581\"",
            "\"parameters\":\u2581{"));
  }

  /** End ids are no text; merges make tokens of half a character. */
  static Tokenizer byteLevel() {
    Token end = new Token("<|eot_id|>", 0, TokenType.CONTROL);
    var vocabulary =
        SmallVocabularies.byteLevel(
            List.of(
                "{ \"", "\" :", "\" ,", "Ġ \"", "\" }", "} }", "] ]", "] ,", "1 2", "12 3", "a b",
                "t r", "u e", "tr ue", "n u", "Ã ©", "æ Ĺ", "æĹ ¥", "Ġ {", "- 1", "0 .", "\\ u"),
            List.of(end, new Token("<|python_tag|>", 0, TokenType.CONTROL)));
    return Tokenizers.of(
        new dev.caravan.model.vocabulary.Vocabulary(
            vocabulary.algorithm(),
            vocabulary.tokens(),
            vocabulary.merges(),
            vocabulary.bosId(),
            java.util.Set.of(vocabulary.tokens().indexOf(end)),
            vocabulary.chatTemplate()));
  }

  /** The embedded model's. */
  static Tokenizer demo() {
    URL resource = Objects.requireNonNull(Vocabularies.class.getResource(DEMO), DEMO);
    try (Checkpoint checkpoint = Checkpoints.open(Path.of(resource.toURI()))) {
      return Tokenizers.of(checkpoint.vocabulary().orElseThrow());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static List<Tokenizer> all() {
    return List.of(sentencePiece(), byteLevel(), demo());
  }
}
