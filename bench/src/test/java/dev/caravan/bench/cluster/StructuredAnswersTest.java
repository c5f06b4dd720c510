package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.generate.ClusterEngine;
import dev.caravan.coordinator.generate.EngineObserver;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.generate.EngineSettings;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.structure.OutputGrammar;
import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a model would rather say, its answers satisfy the schema that was asked for. */
final class StructuredAnswersTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int REQUESTS = 200;
  private static final int CONTEXT = 512;
  private static final List<String> SCHEMAS =
      List.of(
          """
          {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":5},
           "age":{"type":"integer","minimum":0,"maximum":120},"tall":{"type":"boolean"}},
           "required":["name","age"],"additionalProperties":false}
          """,
          """
          {"type":"array","minItems":2,"maxItems":4,"items":{"enum":["red","green","blue"]}}
          """,
          """
          {"oneOf":[{"type":"object","properties":{"kind":{"const":"cat"},"lives":
           {"type":"integer","minimum":1,"maximum":9}},"required":["kind","lives"]},
           {"type":"object","properties":{"kind":{"const":"car"},"plate":
           {"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"}},"required":["kind","plate"]}]}
          """,
          """
          {"type":"object","properties":{"day":{"type":"string","format":"date"},
           "price":{"type":"number","minimum":0,"maximum":50},"note":{"type":["string","null"],
           "maxLength":4}},"required":["day","price","note"],"additionalProperties":false}
          """,
          """
          {"$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer","minimum":0,
           "maximum":9},"next":{"anyOf":[{"type":"null"},{"type":"boolean"}]}},
           "required":["v","next"],"additionalProperties":false}},"$ref":"#/$defs/tree"}
          """);

  @TempDir private Path directory;

  @Test
  void theDemoModelAnswersInForm() throws IOException {
    Path file = directory.resolve("demo.gguf");
    String resource = "/dev/caravan/coordinator/demo/caravan-demo.gguf";
    try (InputStream model =
        Objects.requireNonNull(ClusterEngine.class.getResourceAsStream(resource), resource)) {
      Files.copy(model, file);
    }
    try (Checkpoint checkpoint = Checkpoints.open(file)) {
      answersInForm(
          file,
          Tokenizers.of(checkpoint.vocabulary().orElseThrow()),
          checkpoint.config().vocabSize());
    }
  }

  @Test
  void aModelOfRandomWeightsAnswersInForm() throws IOException {
    Tokenizer tokenizer = Tokenizers.of(bytesAndJoints());
    LlamaConfig config =
        new LlamaConfig(
            96, 224, 2, 6, 3, 32, 320, CONTEXT, 1e-5f, 10_000, new RopeScaling.None(), true);
    Path file = directory.resolve("random.gguf");
    TinyLlama.write(file, config, name -> DType.F32, 4);
    answersInForm(file, tokenizer, config.vocabSize());
  }

  /** Byte fallback and pieces that join two parts of JSON; fewer ids than the model has. */
  private static Vocabulary bytesAndJoints() {
    List<Token> tokens = new ArrayList<>();
    tokens.add(new Token("<unk>", 0, TokenType.UNKNOWN));
    tokens.add(new Token("<s>", 0, TokenType.CONTROL));
    tokens.add(new Token("</s>", 0, TokenType.CONTROL));
    for (int value = 0; value < 256; value++) {
      tokens.add(new Token("<0x%02X>".formatted(value), 0, TokenType.BYTE));
    }
    for (String piece : List.of("{\"", "\":", "\",", "\",\u2581\"", "\"}", "}}", "é", "12", "re")) {
      tokens.add(new Token(piece, -1, TokenType.NORMAL));
    }
    return new Vocabulary(
        Algorithm.SENTENCEPIECE_BPE,
        tokens,
        List.of(),
        OptionalInt.of(1),
        Set.of(2),
        Optional.empty());
  }

  private static void answersInForm(Path model, Tokenizer tokenizer, int vocabSize)
      throws IOException {
    RuntimeSettings runtime =
        new SettingsBuilder().contextLength(CONTEXT).batchRows(32).kvBlocks(1024).build();
    StructuredOutput output = new StructuredOutput(tokenizer);
    try (InProcessCluster cluster = InProcessCluster.start(model, 1, 3, runtime);
        ClusterEngine engine =
            new ClusterEngine(
                cluster,
                Recovery.NONE,
                new EngineSettings(runtime, vocabSize, 16, REQUESTS),
                EngineObserver.NONE)) {
      engine.start(InProcessCluster.EPOCH);
      List<Answer> answers = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        JsonNode schema = JSON.readTree(SCHEMAS.get(i % SCHEMAS.size()));
        Answer answer = new Answer(schema, tokenizer);
        engine.submit(request(output, tokenizer, schema, i), answer);
        answers.add(answer);
      }
      for (Answer answer : answers) {
        String text = answer.text.orTimeout(5, TimeUnit.MINUTES).join();
        assertThat(
                JsonSchemaFactory.getInstance(VersionFlag.V202012)
                    .getSchema(answer.schema)
                    .validate(JSON.readTree(text)))
            .as("%s for %s", text, answer.schema)
            .isEmpty();
      }
    }
  }

  private static EngineRequest request(
      StructuredOutput output, Tokenizer tokenizer, JsonNode schema, int seed) {
    ObjectNode format = JSON.createObjectNode().put("type", "json_schema");
    format.putObject("json_schema").put("name", "any").set("schema", schema);
    OutputGrammar grammar = output.responseFormat(format).orElseThrow();
    Set<Integer> endIds = tokenizer.vocabulary().eosIds();
    return new EngineRequest(
        new int[] {1, 5 + seed},
        CONTEXT - 2,
        endIds,
        new SamplingParameters(seed % 3 * 0.7, 0, seed % 2 == 0 ? 1 : 0.9, 0, 1, seed),
        EngineRequest.NO_LOGPROBS,
        false,
        Optional.of(grammar.constraint(endIds)),
        Duration.ofMinutes(5));
  }

  /** Collects one answer; only one that ended by itself has a text. */
  private static final class Answer implements GenerationListener {
    private final JsonNode schema;
    private final Tokenizer tokenizer;
    private final List<Integer> ids = new ArrayList<>();
    private final CompletableFuture<String> text = new CompletableFuture<>();

    Answer(JsonNode schema, Tokenizer tokenizer) {
      this.schema = schema;
      this.tokenizer = tokenizer;
    }

    @Override
    public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
      ids.add(id);
      return true;
    }

    @Override
    public void onEnd(End end) {
      String all = tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
      if (end.reason() == EndReason.STOP) {
        text.complete(all);
      } else {
        text.completeExceptionally(new AssertionError(end + " of " + all));
      }
    }

    @Override
    public void onError(ClusterException error) {
      text.completeExceptionally(error);
    }
  }
}
