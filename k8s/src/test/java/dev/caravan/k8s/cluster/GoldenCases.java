package dev.caravan.k8s.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Prompts of the reference files and the float64 logits after them.
 *
 * @param prompts lists of ids
 * @param logits all logits after each
 */
record GoldenCases(ArrayNode prompts, ArrayNode logits) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_PROMPT = 100;

  /** Returns the directory of the reference files, or skips the calling test loudly. */
  static Path directory(Class<?> test) {
    String stated = System.getProperty("CARAVAN_REFERENCE", System.getenv("CARAVAN_REFERENCE"));
    if (stated != null) {
      return Path.of(stated);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path beside = at.resolveSibling("shared").resolve("reference");
      if (Files.isDirectory(beside)) {
        return beside;
      }
    }
    String message =
        "SKIPPED: golden logits of %s need the reference files (set CARAVAN_REFERENCE)"
            .formatted(test.getSimpleName());
    System.out.println(message);
    return Assumptions.abort(message);
  }

  /** Reads the cases that apply to a model's weights. */
  static GoldenCases read(Path file, String model) throws IOException {
    JsonNode root = JSON.readTree(file.toFile());
    GoldenCases cases = new GoldenCases(JSON.createArrayNode(), JSON.createArrayNode());
    for (JsonNode prompt : root.path("prompts")) {
      cases.add(prompt.get("prompt_ids"), prompt.get("logits"));
    }
    JsonNode plain = root.path("cases");
    JsonNode applying = root.path("quantised").path(model).path("cases");
    for (int i = 0; i < plain.size(); i++) {
      JsonNode which = applying.isMissingNode() ? plain.get(i) : applying.get(i);
      cases.add(plain.get(i).get("prompt_ids"), which.get("logits_after_prompt"));
    }
    return cases;
  }

  /** Checks the lines of {@code caravan logits} by their relative L2 distance. */
  void check(String lines, double tolerance) throws IOException {
    String[] actual = lines.strip().split("\n");
    assertThat(actual).hasSize(prompts.size()).hasSizeGreaterThan(2);
    for (int i = 0; i < actual.length; i++) {
      JsonNode line = JSON.readTree(actual[i]);
      assertThat(distance(line.get("logits"), logits.get(i)))
          .as("case %d: relative L2 distance", i)
          .isLessThan(tolerance);
    }
  }

  private void add(JsonNode ids, JsonNode expected) {
    if (ids.size() <= MAX_PROMPT) {
      prompts.add(ids);
      logits.add(expected.get("full"));
    }
  }

  private static double distance(JsonNode actual, JsonNode expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.size(); i++) {
      double difference = actual.get(i).doubleValue() - expected.get(i).doubleValue();
      error += difference * difference;
      norm += expected.get(i).doubleValue() * expected.get(i).doubleValue();
    }
    return Math.sqrt(error / norm);
  }
}
