package dev.caravan.coordinator.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.VocabularyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares with ids and texts on which several published tokenizers agree. */
class TokenizerReferenceTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Tokenizer> TOKENIZERS = new ConcurrentHashMap<>();

  private static Path tokenizers() {
    return ReferenceFiles.directory(TokenizerReferenceTest.class).resolve("tokenizers");
  }

  private static Tokenizer tokenizer(String file) {
    Path path = tokenizers().resolve(file);
    return TOKENIZERS.computeIfAbsent(file, f -> Tokenizers.of(vocabulary(path)));
  }

  private static Vocabulary vocabulary(Path path) {
    if (!path.toString().endsWith(".gguf")) {
      return VocabularyFiles.read(path);
    }
    try (Checkpoint checkpoint = Checkpoints.open(path)) {
      return checkpoint.vocabulary().orElseThrow();
    }
  }

  private static int[] ids(JsonNode ids) {
    return StreamSupport.stream(ids.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "tok512, tok512/tokenizer.model",
    "tok512, tok512/tokenizer.json",
    "tok512, ../models/stories260K/stories260K-f32.gguf",
    "llama2, llama2/tokenizer.model",
    "llama2, llama2/tokenizer.json",
    "llama2, llama2/ggml-vocab-llama-spm.gguf",
    "llama3, llama3/tokenizer.model",
    "llama3, llama3/tokenizer.json",
    "llama3, ../e2e/llama3-tiny-random-f16.gguf"
  })
  void encodesAllVectors(String name, String file) throws IOException {
    Tokenizer tokenizer = tokenizer(file);
    JsonNode vectors =
        JSON.readTree(tokenizers().resolve(name).resolve("vectors.json").toFile()).path("vectors");
    assertThat(vectors.size()).isEqualTo(182);
    for (JsonNode vector : vectors) {
      String text = vector.path("text").textValue();
      // Where only one is listed, the text spells no special token of this vocabulary.
      JsonNode plain = vector.path(vector.has("ids_plain") ? "ids_plain" : "ids_parse_special");
      JsonNode parsed =
          vector.path(vector.has("ids_parse_special") ? "ids_parse_special" : "ids_plain");
      assertThat(tokenizer.encode(text, SpecialTokens.PLAIN))
          .as("plain \"%s\"", text)
          .isEqualTo(ids(plain));
      assertThat(tokenizer.encode(text, SpecialTokens.PARSED))
          .as("parsed \"%s\"", text)
          .isEqualTo(ids(parsed));
      assertThat(tokenizer.decode(ids(plain))).isEqualTo(text.replace('\u2581', spaceMark(name)));
    }
  }

  /** SentencePiece cannot tell its space mark from a space. */
  private static char spaceMark(String name) {
    return name.equals("llama3") ? '\u2581' : ' ';
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2/ggml-vocab-llama-spm", "llama3/ggml-vocab-llama-bpe"})
  void encodesTheVectorsOfLlamaCpp(String vectors) throws IOException {
    String folder = vectors.substring(0, vectors.indexOf('/'));
    Path input = tokenizers().resolve(vectors + ".gguf.inp");
    List<String> texts = List.of(Files.readString(input).split("\n__ggml_vocab_test__\n", -1));
    List<String> lines =
        List.of(Files.readString(tokenizers().resolve(vectors + ".gguf.out")).split("\n", -1));
    assertThat(texts).hasSize(47).hasSameSizeAs(lines);
    for (String file : List.of("tokenizer.model", "tokenizer.json")) {
      Tokenizer tokenizer = tokenizer(folder + "/" + file);
      for (int i = 0; i < texts.size(); i++) {
        int[] expected =
            Arrays.stream(lines.get(i).split(" "))
                .filter(id -> !id.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
        assertThat(tokenizer.encode(texts.get(i), SpecialTokens.PLAIN))
            .as("\"%s\"", texts.get(i))
            .isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tok512", "llama2", "llama3"})
  void decodesAllVectors(String name) throws IOException {
    Tokenizer tokenizer = tokenizer(name + "/tokenizer.json");
    JsonNode vectors = JSON.readTree(tokenizers().resolve("decode_vectors.json").toFile());
    assertThat(vectors.path(name).size()).isGreaterThanOrEqualTo(60);
    for (JsonNode vector : vectors.path(name)) {
      int[] ids = ids(vector.path("ids"));
      StreamingDecoder decoder = StreamingDecoder.of(tokenizer);
      StringBuilder streamed = new StringBuilder();
      for (int i = 0; i < ids.length; i++) {
        assertThat(HexFormat.of().formatHex(tokenizer.bytes(ids[i])))
            .isEqualTo(vector.path("bytes").get(i).textValue());
        streamed.append(decoder.accept(ids[i]));
      }
      assertThat(tokenizer.decode(ids)).isEqualTo(vector.path("text").textValue());
      assertThat(streamed.append(decoder.flush()).toString())
          .isEqualTo(vector.path("text").textValue());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizer.model", "tokenizer.json"})
  void streamsThePublishedStoryFromItsGreedyTokens(String file) throws IOException {
    Tokenizer tokenizer = tokenizer("tok512/" + file);
    String story =
        JSON.readTree(
                tokenizers()
                    .resolveSibling("models/stories260K/karpathy_published_200.json")
                    .toFile())
            .path("text")
            .textValue();
    StreamingDecoder decoder = StreamingDecoder.of(tokenizer);
    StringBuilder streamed = new StringBuilder(decoder.accept(1));
    for (int id : tokenizer.encode(story, SpecialTokens.PLAIN)) {
      streamed.append(decoder.accept(id));
    }
    assertThat(streamed.toString()).isEqualTo(story);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2/tokenizer.model", "llama3/tokenizer.model"})
  void aMegabyteWithoutABreakEndsSoon(String file) {
    Tokenizer tokenizer = tokenizer(file);
    for (String unit : List.of("a", "ab", " ", "\n", "=", "\u6f22", "<|begin_of_text|")) {
      String text = unit.repeat((1 << 20) / unit.length());
      int[] ids =
          Assertions.assertTimeoutPreemptively(
              Duration.ofSeconds(10), () -> tokenizer.encode(text, SpecialTokens.PARSED));
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }
  }
}
