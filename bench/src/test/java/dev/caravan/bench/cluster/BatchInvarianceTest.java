package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.step.RuntimeSettings.Activations;
import dev.caravan.model.step.RuntimeSettings.Collective;
import dev.caravan.model.step.RuntimeSettings.Kernels;
import dev.caravan.model.step.RuntimeSettings.KvType;
import dev.caravan.model.step.RuntimeSettings.Sync;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Invariant 2: the bits of a row's logits depend on the model, the plan and the tokens before it,
 * and on nothing else.
 */
class BatchInvarianceTest {
  private static final int NEW_TOKENS = 10;

  /** Wide enough that AUTO exchanges whole prompts by scatter and single rows directly. */
  private static final int[] PROMPT = RowLogits.prompt(1, 100);

  @TempDir static Path directory;

  /** What the bits may depend on. */
  record Plan(
      TinyModels model, Activations activations, KvType kv, Sync sync, int stages, int ranks) {

    InProcessCluster start(Kernels kernels, int threads, Collective collective) throws IOException {
      SettingsBuilder settings =
          new SettingsBuilder()
              .kernels(kernels)
              .threads(threads)
              .activations(activations)
              .kv(kv)
              .sync(sync)
              .collective(collective)
              .batchRows(512)
              .contextLength(256);
      return InProcessCluster.start(model.write(directory), stages, ranks, settings.build());
    }

    @Override
    public String toString() {
      return "%s %s kv %s sync %s, %d stages x %d ranks"
          .formatted(model, activations, kv, sync, stages, ranks);
    }
  }

  static Stream<Plan> plans() {
    return Stream.of(TinyModels.values())
        .flatMap(model ->
            Stream.of(Activations.F32, Activations.INT8)
                .flatMap(activations ->
                    Stream.of(1, 3, 4)
                        .flatMap(workers ->
                            Stream.of(KvType.values())
                                .map(kv -> plan(model, activations, kv, workers)))));
  }

  @ParameterizedTest
  @MethodSource("plans")
  void rowHasTheSameBitsWhateverIsComputedBesideIt(Plan plan) throws IOException {
    List<float[]> expected;
    try (InProcessCluster cluster = plan.start(Kernels.SIMD, 1, Collective.AUTO)) {
      expected = sequence().runAlone(cluster.loop());
      assertThat(expected).hasSize(PROMPT.length + NEW_TOKENS);
      for (int chunk : new int[] {1, 7, 32}) {
        assertSameBits(sequence().runAlone(cluster.loop(chunk, chunk)), expected);
      }
      for (int chunk : new int[] {7, 32, 512}) {
        assertSameBits(sequence().runInCompany(cluster.loop(chunk, 1)), expected);
      }
    }
    try (InProcessCluster cluster = plan.start(Kernels.SIMD, 3, Collective.AUTO)) {
      assertSameBits(sequence().runAlone(cluster.loop(512, 0)), expected);
      assertSameBits(sequence().runInCompany(cluster.loop(32, 3)), expected);
    }
    try (InProcessCluster cluster = plan.start(Kernels.SCALAR, 1, Collective.AUTO)) {
      int rows = 12; // the plain loops are slow
      RowLogits start = new RowLogits(Arrays.copyOf(PROMPT, rows), 0);
      assertSameBits(start.runAlone(cluster.loop(7, 0)), expected.subList(0, rows));
    }
  }

  @ParameterizedTest
  @EnumSource(TinyModels.class)
  void exactPayloadsGiveTheSameBitsOnEveryWay(TinyModels model) throws IOException {
    Plan plan = new Plan(model, Activations.AUTO, KvType.F16, Sync.F32, 1, 3);
    List<float[]> expected;
    try (InProcessCluster cluster = plan.start(Kernels.SIMD, 1, Collective.AUTO)) {
      expected = sequence().runAlone(cluster.loop());
    }
    for (Collective collective : List.of(Collective.DIRECT, Collective.SCATTER)) {
      try (InProcessCluster cluster = plan.start(Kernels.SIMD, 1, collective)) {
        assertSameBits(sequence().runAlone(cluster.loop(32, 0)), expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Collective.class)
  void roundedPayloadsOfEveryWayDoNotDependOnTheBatch(Collective collective) throws IOException {
    for (Sync sync : List.of(Sync.BF16, Sync.Q8)) {
      Plan plan = new Plan(TinyModels.K_QUANTS, Activations.AUTO, KvType.F16, sync, 2, 3);
      try (InProcessCluster cluster = plan.start(Kernels.SIMD, 1, collective)) {
        List<float[]> expected = sequence().runAlone(cluster.loop());
        assertSameBits(sequence().runAlone(cluster.loop(7, 0)), expected);
        assertSameBits(sequence().runInCompany(cluster.loop(32, 1)), expected);
      }
    }
  }

  /** Each plan with one of the payload types, so that all pairs occur. */
  private static Plan plan(TinyModels model, Activations activations, KvType kv, int workers) {
    int stages = workers == 4 ? 2 : 1;
    boolean rounded = (kv == KvType.F16) == (model.ordinal() % 2 == 0);
    return new Plan(model, activations, kv, rounded ? Sync.Q8 : Sync.F32, stages, workers / stages);
  }

  private static RowLogits sequence() {
    return new RowLogits(PROMPT, NEW_TOKENS);
  }

  private static void assertSameBits(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int row = 0; row < expected.size(); row++) {
      if (!Arrays.equals(actual.get(row), expected.get(row))) {
        int different = Arrays.mismatch(actual.get(row), expected.get(row));
        assertThat(actual.get(row)[different])
            .as("logit %d of row %d", different, row)
            .isEqualTo(expected.get(row)[different]);
      }
    }
  }
}
