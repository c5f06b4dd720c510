package dev.caravan.bench.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model of the reference files and what a float64 forward pass says about it.
 *
 * @param name of its file, or of the directory and the one above it
 * @param weights what to open
 * @param cases prompts, their logits and greedy continuations
 * @param texts texts and their perplexities; only trained models have them
 */
record GoldenModel(String name, Path weights, List<Case> cases, List<Text> texts) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A prompt.
   *
   * @param logits after it
   * @param greedyIds that follow
   * @param gaps between the two highest logits before each of them
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Case(int[] prompt, GoldenLogits logits, int[] greedyIds, double[] gaps) {}

  /** A text and its perplexity in one pass from position 0. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Text(int[] ids, double perplexity) {}

  /** Reads all models of the reference files. */
  static List<GoldenModel> all(Path reference) throws IOException {
    List<GoldenModel> models = new ArrayList<>();
    for (Path golden : goldenFiles(reference)) {
      JsonNode json = JSON.readTree(golden.toFile());
      if (json.has("prompts")) {
        addTrained(models, golden.getParent(), json);
      } else {
        addSynthetic(models, golden.getParent(), json);
      }
    }
    return models;
  }

  private static List<Path> goldenFiles(Path reference) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String folder : List.of("models", "synthetic", "e2e")) {
      try (Stream<Path> walk = Files.walk(reference.resolve(folder))) {
        walk.filter(file -> file.getFileName().toString().matches("golden.*\\.json"))
            .sorted()
            .forEach(files::add);
      }
    }
    return files;
  }

  private static void addTrained(List<GoldenModel> models, Path directory, JsonNode json) {
    List<Text> texts = new ArrayList<>();
    for (JsonNode text : json.get("perplexity")) {
      texts.add(new Text(ints(text.get("ids")), text.get("perplexity").asDouble()));
    }
    List<Case> cases = new ArrayList<>();
    for (JsonNode prompt : json.get("prompts")) {
      cases.add(golden(prompt, prompt, prompt.get("logits")));
    }
    for (JsonNode file : json.get("applies_to")) {
      // Caravan does not read karpathy's own format.
      if (!file.asText().endsWith(".bin")) {
        models.add(model(directory.resolve(file.asText()), cases, texts));
      }
    }
  }

  private static void addSynthetic(List<GoldenModel> models, Path directory, JsonNode json) {
    JsonNode prompts = json.get("cases");
    if (json.has("file")) {
      models.add(model(directory.resolve(json.get("file").asText()), cases(prompts, prompts)));
      return;
    }
    for (JsonNode file : json.get("applies_to")) {
      models.add(model(directory.resolve(file.asText()), cases(prompts, prompts)));
    }
    json.get("quantised")
        .properties()
        .forEach(entry ->
            models.add(
                model(
                    directory.resolve(entry.getKey()),
                    cases(prompts, entry.getValue().get("cases")))));
  }

  private static GoldenModel model(Path file, List<Case> cases) {
    return model(file, cases, List.of());
  }

  private static GoldenModel model(Path file, List<Case> cases, List<Text> texts) {
    Path path = file.normalize();
    if (path.getFileName().toString().equals("model.safetensors")) {
      path = path.getParent();
    }
    String name = path.getFileName().toString();
    if (name.startsWith("hf-")) {
      name = path.getParent().getFileName() + "-" + name;
    }
    return new GoldenModel(name, path, cases, texts);
  }

  private static List<Case> cases(JsonNode prompts, JsonNode values) {
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      JsonNode value = values.get(i);
      cases.add(golden(prompts.get(i), value, value.get("logits_after_prompt")));
    }
    return cases;
  }

  private static Case golden(JsonNode prompt, JsonNode values, JsonNode logits) {
    JsonNode gaps = values.get("gaps");
    double[] gapValues = new double[gaps.size()];
    for (int i = 0; i < gapValues.length; i++) {
      gapValues[i] = gaps.get(i).asDouble();
    }
    return new Case(
        ints(prompt.get("prompt_ids")),
        new GoldenLogits(logits),
        ints(values.get("greedy_ids")),
        gapValues);
  }

  private static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = array.get(i).asInt();
    }
    return ints;
  }
}
