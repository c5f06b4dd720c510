package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The embedded model on worker JVMs, against float64 golden values of its own file. */
@Timeout(240)
class DemoIT {
  private static final String GOLDEN = "/dev/caravan/coordinator/demo/demo-golden.json";
  private static final double TOLERANCE = 1e-5;

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"3, 1", "2, 2"})
  void logitsAreGolden(int workers, int stages) throws IOException {
    JsonNode golden = golden();
    ArrayNode prompts = new ObjectMapper().createArrayNode();
    golden.get("cases").forEach(example -> prompts.add(example.get("prompt_ids")));
    try (DemoModel model = DemoModel.write()) {
      List<JsonNode> lines =
          CommandRun.json(
              "logits",
              "--model",
              model.file(),
              "--ids-file",
              Files.writeString(directory.resolve("ids.json"), prompts.toString()),
              "--workers",
              workers,
              "--stages",
              stages,
              "--activations",
              "f32",
              "--kv",
              "f32",
              "--check-ranks",
              "--format",
              "json");
      assertThat(lines).hasSize(4);
      for (int i = 0; i < lines.size(); i++) {
        JsonNode expected = golden.get("cases").get(i).get("logits");
        assertThat(RemoteLogitsIT.distance(lines.get(i).get("logits"), expected))
            .as("case %d: relative L2 distance", i)
            .isLessThan(TOLERANCE);
      }
    }
  }

  @Test
  void perplexityIsGolden() throws IOException {
    JsonNode golden = golden().get("perplexity");
    Path ids = directory.resolve("ids.json");
    Files.writeString(ids, "[" + golden.get("ids") + "]");
    try (DemoModel model = DemoModel.write()) {
      JsonNode line =
          CommandRun.json(
                  "perplexity", "--model", model.file(), "--ids-file", ids, "--format", "json")
              .getFirst();
      assertThat(line.get("perplexity").doubleValue())
          .isCloseTo(
              golden.get("perplexity").doubleValue(),
              within(0.02 * golden.get("perplexity").doubleValue()));
    }
  }

  @Test
  void tellsTheSameStoryAgain() throws IOException {
    JsonNode first = CommandRun.json("demo", "--max-tokens", 30, "--format", "json").getFirst();
    JsonNode again = CommandRun.json("demo", "--max-tokens", 30, "--format", "json").getFirst();
    assertThat(first.get("workers").intValue()).isEqualTo(3);
    assertThat(first.get("text").textValue())
        .hasSizeGreaterThan(40)
        .isEqualTo(again.get("text").textValue());
    assertThat(first.get("sync_bytes_per_token").doubleValue()).isPositive();
  }

  private static JsonNode golden() throws IOException {
    try (InputStream resource = DemoIT.class.getResourceAsStream(GOLDEN)) {
      return new ObjectMapper().readTree(resource);
    }
  }
}
