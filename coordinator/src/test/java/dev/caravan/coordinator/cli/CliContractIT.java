package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.model.checkpoint.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What other programs read: keys and values of the JSON lines of commands that start workers. */
@Timeout(240)
class CliContractIT {
  @TempDir static Path directory;
  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModels.withVocabulary(directory.resolve("model.gguf"));
  }

  @Test
  void generateAnswersOneObjectWithTheAgreedKeys() throws IOException {
    List<JsonNode> lines = generate(2, "--prompt", "ab", "--max-tokens", 5, "--ignore-eos");
    assertThat(lines).hasSize(1);
    JsonNode line = lines.getFirst();
    assertThat(keys(line))
        .containsExactly(
            "prompt_ids",
            "output_ids",
            "text",
            "finish_reason",
            "load_seconds",
            "ttft_ms",
            "prefill_tokens_per_second",
            "decode_tokens_per_second",
            "sync_bytes_per_token");
    // Begin token, then " ab" as one piece.
    assertThat(line.get("prompt_ids").toString()).isEqualTo("[1,264]");
    assertThat(line.get("output_ids")).hasSize(5);
    assertThat(line.get("finish_reason").textValue()).isEqualTo("length");
    assertThat(line.get("load_seconds").doubleValue()).isPositive();
    assertThat(line.get("ttft_ms").doubleValue()).isPositive();
    assertThat(line.get("sync_bytes_per_token").doubleValue()).isPositive();
  }

  @Test
  void sameSeedSameTokensAndAnotherSeedOthers() throws IOException {
    Object[] hot = {"--ids", "1,5,9", "--max-tokens", 12, "--ignore-eos", "--temperature", 2};
    JsonNode first = outputIds(join(hot, "--seed", 11));
    assertThat(outputIds(join(hot, "--seed", 11))).isEqualTo(first);
    assertThat(outputIds(join(hot, "--seed", 12))).isNotEqualTo(first);
  }

  @Test
  void endTokenStopsUnlessItIsIgnored() throws IOException {
    // Hot sampling over a vocabulary of 270 meets the end token soon; the seed makes it repeatable.
    Object[] hot = {"--ids", "1", "--max-tokens", 500, "--temperature", 5, "--seed", 3};
    JsonNode stopped = generate(1, hot).getFirst();
    assertThat(stopped.get("finish_reason").textValue()).isEqualTo("stop");
    JsonNode ids = stopped.get("output_ids");
    assertThat(ids.get(ids.size() - 1).intValue()).isEqualTo(SmallModels.END);
    JsonNode longer = generate(1, join(hot, "--ignore-eos")).getFirst();
    assertThat(longer.get("finish_reason").textValue()).isEqualTo("length");
    assertThat(longer.get("output_ids")).hasSize(500);
  }

  @Test
  void logitsAnswersOneLineForEachCaseWithTheWholeVocabulary() throws IOException {
    Path ids = Files.writeString(directory.resolve("ids.json"), "[[1], [1, 5, 9]]");
    List<JsonNode> lines =
        CommandRun.json(
            "logits",
            "--model",
            model,
            "--ids-file",
            ids,
            "--format",
            "json",
            "--workers",
            2,
            "--threads",
            1);
    assertThat(lines).hasSize(2);
    for (int i = 0; i < 2; i++) {
      assertThat(keys(lines.get(i))).containsExactly("case", "logits");
      assertThat(lines.get(i).get("case").intValue()).isEqualTo(i);
      assertThat(lines.get(i).get("logits")).hasSize(SmallModels.VOCABULARY);
    }
  }

  @Test
  void perplexityOfATextIsThatOfItsIdsWithTheBeginToken() throws IOException {
    Path ids = Files.writeString(directory.resolve("scored.json"), "[[1, 264, 261]]");
    Path text = Files.writeString(directory.resolve("scored.txt"), "abb");
    List<JsonNode> byIds = perplexity("--ids-file", ids);
    assertThat(byIds).hasSize(1);
    JsonNode line = byIds.getFirst();
    assertThat(keys(line)).containsExactly("case", "tokens", "mean_nll", "perplexity");
    assertThat(line.get("tokens").intValue()).isEqualTo(3);
    assertThat(line.get("perplexity").doubleValue())
        .isCloseTo(Math.exp(line.get("mean_nll").doubleValue()), within(1e-9));
    JsonNode byText = perplexity("--text-file", text).getFirst();
    assertThat(byText.get("mean_nll")).isEqualTo(line.get("mean_nll"));
  }

  @Test
  void textFormatShowsTheTextOnStandardOutputAndTheRatesOnStandardError() throws IOException {
    Path plain = SmallModels.plain(directory.resolve("plain.gguf"), DType.F32);
    CommandRun run =
        CommandRun.of(
            "generate", "--model", plain, "--ids", "1,2", "--max-tokens", 3, "--threads", 1);
    assertThat(run.exitCode()).isZero();
    assertThat(run.out().strip()).matches("\\d+ \\d+ \\d+");
    assertThat(run.err()).contains("3 tokens, first after", "kB between workers per token");
  }

  private static List<JsonNode> perplexity(Object... arguments) throws IOException {
    return CommandRun.json(
        join(
            new Object[] {"perplexity", "--model", model, "--format", "json", "--workers", 1},
            arguments));
  }

  private static JsonNode outputIds(Object... arguments) throws IOException {
    return generate(1, arguments).getFirst().get("output_ids");
  }

  private static List<JsonNode> generate(int workers, Object... arguments) throws IOException {
    Object[] all = {
      "generate", "--model", model, "--format", "json", "--threads", 1, "--workers", workers
    };
    return CommandRun.json(join(all, arguments));
  }

  private static List<String> keys(JsonNode line) {
    List<String> names = new ArrayList<>();
    line.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static Object[] join(Object[] first, Object... second) {
    List<Object> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(second));
    return all.toArray();
  }
}
