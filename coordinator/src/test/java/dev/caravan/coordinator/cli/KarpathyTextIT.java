package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.coordinator.text.ReferenceFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The text that llama2.c publishes for stories260K, word for word, whatever the cluster. */
@Timeout(240)
class KarpathyTextIT {
  private static final int STEPS = 200;

  @ParameterizedTest
  @CsvSource({"1,1", "2,1", "3,1", "4,1", "6,1", "8,1", "1,2", "1,5", "3,2"})
  void publishedTextComesWordForWord(int workers, int stages) throws IOException {
    Path models = ReferenceFiles.directory(KarpathyTextIT.class).resolve("models/stories260K");
    JsonNode published =
        new ObjectMapper().readTree(models.resolve("karpathy_published_200.json").toFile());
    List<JsonNode> lines =
        CommandRun.json(
            "generate",
            "--model",
            models.resolve("stories260K-f32.gguf"),
            "--prompt",
            "",
            "--max-tokens",
            STEPS,
            "--ignore-eos",
            "--kv",
            "f32",
            "--check-ranks",
            "--threads",
            1,
            "--workers",
            workers,
            "--stages",
            stages,
            "--format",
            "json");
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst().get("text").textValue())
        .isEqualTo(published.get("text").textValue());
    assertThat(lines.getFirst().get("output_ids")).hasSize(STEPS);
  }
}
