package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.bench.cluster.ReferenceSplits.Grid;
import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.generate.PerplexityScore;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.RuntimeSettings.Activations;
import dev.caravan.model.step.RuntimeSettings.KvType;
import dev.caravan.model.vocabulary.ReferenceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every model of the reference files, on several grids, against its golden values. */
class ReferenceModelsTest {
  private static final int LONG_PROMPT = 500;
  private static final int LONGEST_PROMPT = 1000;
  private static final int SHORT_PROMPT = 100;

  /** model -> mode -> worst relative distance of any logits, over all grids. */
  private static final Map<String, Map<Mode, Double>> WORST = new TreeMap<>();

  /** How a model is computed, and how near it must come. */
  private enum Mode {
    F32(Activations.F32, KvType.F32, 1e-5, 1e-5),
    F16_CACHE(Activations.F32, KvType.F16, 5e-3, 5e-3),
    Q8_CACHE(Activations.F32, KvType.Q8, 0.08, 0.02),
    INT8(Activations.INT8, KvType.F16, 0.08, 0.02);

    private final Activations activations;
    private final KvType kv;
    private final double tolerance;
    private final double perplexityTolerance;

    Mode(Activations activations, KvType kv, double tolerance, double perplexityTolerance) {
      this.activations = activations;
      this.kv = kv;
      this.tolerance = tolerance;
      this.perplexityTolerance = perplexityTolerance;
    }

    double tolerance(GoldenModel model, int promptLength) {
      return switch (this) {
        case F32 -> promptLength > LONG_PROMPT ? 5 * tolerance : tolerance;
        case F16_CACHE -> tolerance;
        // Their outliers and depth are hard on rounding, as they are meant to be.
        case INT8, Q8_CACHE -> model.name().matches("(s09|s10)-.*") ? 0.15 : tolerance;
      };
    }

    boolean takes(GoldenModel.Case golden) {
      return golden.prompt().length < (this == F32 ? LONGEST_PROMPT : SHORT_PROMPT);
    }
  }

  @TestFactory
  Stream<DynamicTest> computesTheGoldenValues() throws IOException {
    return models().stream()
        .flatMap(model ->
            ReferenceSplits.of(model).stream()
                .flatMap(grid ->
                    Stream.of(Mode.values())
                        .map(mode ->
                            DynamicTest.dynamicTest(
                                "%s, %s, %s".formatted(model.name(), grid, mode),
                                () -> check(model, grid, mode)))));
  }

  @TestFactory
  Stream<DynamicTest> keepsItsPrecisionOverThousandsOfPositions() throws IOException {
    GoldenModel model =
        models().stream().filter(m -> m.name().matches("s03-.*-hf-bf16")).findFirst().orElseThrow();
    List<GoldenModel.Case> longest =
        model.cases().stream().filter(c -> c.prompt().length >= LONGEST_PROMPT).toList();
    assertThat(longest).isNotEmpty();
    return Stream.of(new Grid(1, 1), new Grid(1, 2))
        .map(grid ->
            DynamicTest.dynamicTest(
                "%d ids, %s".formatted(longest.getFirst().prompt().length, grid),
                () -> check(model, grid, Mode.F32, longest)));
  }

  @TestFactory
  Stream<DynamicTest> moreRanksThanCanBePlacedAreRefusedWithTheCountsThatCan() throws IOException {
    return models().stream()
        .map(model -> DynamicTest.dynamicTest(model.name(), () -> checkRefusal(model.weights())));
  }

  @Test
  void gridsCoverWhatTheyMust() throws IOException {
    Set<Integer> ranks = new TreeSet<>();
    Set<Integer> stages = new TreeSet<>();
    boolean sharedKvHeads = false;
    boolean stagesOfRanks = false;
    for (GoldenModel model : models()) {
      try (Checkpoint checkpoint = Checkpoints.open(model.weights())) {
        for (Grid grid : ReferenceSplits.of(model)) {
          ranks.add(grid.ranks());
          stages.add(grid.stages());
          sharedKvHeads |= grid.ranks() > checkpoint.config().kvHeads();
          stagesOfRanks |= grid.stages() > 1 && grid.ranks() > 1;
        }
      }
    }
    assertThat(ranks).contains(1, 2, 3, 4, 5, 7, 8);
    assertThat(stages).contains(1, 2, 3, 5, 7);
    assertThat(sharedKvHeads).isTrue();
    assertThat(stagesOfRanks).isTrue();
  }

  @Test
  void noModelOfTheReferenceFilesIsLeftOut() throws IOException {
    Path reference = ReferenceFiles.directory(ReferenceModelsTest.class);
    Set<Path> tested = models().stream().map(GoldenModel::weights).collect(Collectors.toSet());
    List<Path> untested = new ArrayList<>();
    for (String folder : List.of("models", "synthetic", "e2e")) {
      try (Stream<Path> files = Files.walk(reference.resolve(folder))) {
        files
            .filter(file -> file.toString().endsWith(".gguf") || isModelDirectory(file))
            .filter(file -> !tested.contains(file))
            .forEach(untested::add);
      }
    }
    // The one file that no golden values describe is no GGUF file, whatever its name says.
    for (Path file : untested) {
      assertThatThrownBy(() -> Checkpoints.open(file).close())
          .isInstanceOfSatisfying(
              ClusterException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_CORRUPT));
    }
    assertThat(untested).hasSizeLessThanOrEqualTo(1);
  }

  @AfterAll
  static void printWorst() {
    if (WORST.isEmpty()) {
      return;
    }
    System.out.printf(
        "%-40s%12s%12s%12s%12s%n", "worst relative L2", "f32", "f16 cache", "q8 cache", "int8");
    WORST.forEach((name, byMode) -> {
      System.out.printf("%-40s", name);
      for (Mode mode : Mode.values()) {
        System.out.printf("%12.2e", byMode.getOrDefault(mode, Double.NaN));
      }
      System.out.println();
    });
  }

  private static void check(GoldenModel model, Grid grid, Mode mode) {
    check(model, grid, mode, model.cases().stream().filter(mode::takes).toList());
  }

  private static void check(GoldenModel model, Grid grid, Mode mode, List<GoldenModel.Case> cases) {
    List<GoldenRun> runs = cases.stream().map(c -> new GoldenRun(c, mode == Mode.F32)).toList();
    List<PerplexityScore> scores =
        model.texts().stream().map(text -> new PerplexityScore(text.ids())).toList();
    try (InProcessCluster cluster =
        InProcessCluster.start(
            model.weights(), grid.stages(), grid.ranks(), settings(mode, cases, model.texts()))) {
      GenerationLoop loop = cluster.loop();
      runs.forEach(run -> loop.submit(run.sequence()));
      scores.forEach(score -> loop.submit(score.sequence()));
      while (!loop.isIdle()) {
        loop.step();
      }
    }
    for (GoldenRun run : runs) {
      WORST
          .computeIfAbsent(model.name(), name -> new TreeMap<>())
          .merge(mode, run.distance(), Math::max);
      assertThat(run.distance())
          .as("relative L2 after %d ids", run.promptLength())
          .isLessThanOrEqualTo(mode.tolerance(model, run.promptLength()));
      assertThat(run.outputIds())
          .as("greedy ids after %d ids", run.promptLength())
          .containsExactly(run.goldenIds());
    }
    for (int i = 0; i < scores.size(); i++) {
      double golden = model.texts().get(i).perplexity();
      assertThat(Math.abs(scores.get(i).perplexity() / golden - 1))
          .as("perplexity %s, golden %s", scores.get(i).perplexity(), golden)
          .isLessThanOrEqualTo(mode.perplexityTolerance);
    }
  }

  private static RuntimeSettings settings(
      Mode mode, List<GoldenModel.Case> cases, List<GoldenModel.Text> texts) {
    List<Integer> lengths = new ArrayList<>();
    cases.forEach(c -> lengths.add(c.prompt().length + c.greedyIds().length));
    texts.forEach(text -> lengths.add(text.ids().length));
    int longest = lengths.stream().mapToInt(length -> length).max().orElse(1);
    return new SettingsBuilder()
        .activations(mode.activations)
        .kv(mode.kv)
        .batchRows(longest > LONGEST_PROMPT ? 512 : 64)
        .contextLength(longest)
        .kvBlocks(
            lengths.stream()
                .mapToInt(length -> Math.ceilDiv(length, RuntimeSettings.BLOCK_POSITIONS))
                .sum())
        .build();
  }

  private static void checkRefusal(Path weights) {
    try (Checkpoint checkpoint = Checkpoints.open(weights)) {
      WeightTypes types = WeightTypes.of(checkpoint);
      int max = ShardPlanner.maxRanks(checkpoint.config(), types);
      assertThat(ShardPlanner.plan(checkpoint.config(), types, 1, max).ranks()).isEqualTo(max);
      assertThatThrownBy(() -> ShardPlanner.plan(checkpoint.config(), types, 1, max + 1))
          .isInstanceOfSatisfying(
              ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNPLACEABLE))
          .hasMessageMatching(
              ".*too few for %d ranks; use (1|1 or|1-)\\D*%s ranks?, or more.*"
                  .formatted(max + 1, max == 1 ? "" : max));
    }
  }

  private static boolean isModelDirectory(Path file) {
    return Files.exists(file.resolve("config.json"));
  }

  private static List<GoldenModel> models() throws IOException {
    return GoldenModel.all(ReferenceFiles.directory(ReferenceModelsTest.class));
  }
}
