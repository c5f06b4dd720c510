package dev.caravan.k8s.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.k8s.net.HostProcess;
import dev.caravan.k8s.net.Link;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.proto.wire.PayloadType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A coordinator and four workers on five hosts that are connected with 1 GbE: ten clusters in all,
 * each started in a random order.
 */
@Timeout(600)
class HostsIT {
  private static final int WORKERS = 4;
  private static final int SERVED = 5;
  private static final int TOKENS = 4;

  /** Of the reference files, for f32 on the way and int8 or f32 weights. */
  private static final double TOLERANCE = 1e-5;

  /** Wide rows and little to compute: the all-reduces are what crosses the network. */
  private static final LlamaConfig WIDE =
      new LlamaConfig(1024, 32, 2, 4, 4, 8, 256, 1024, 1e-5f, 10_000, new RopeScaling.None(), true);

  private static final int STEPS = 2;
  private static final int STEP_ROWS = 256;

  @TempDir Path directory;
  private final Random random = new Random();

  @BeforeEach
  void seed() {
    long seed = System.nanoTime();
    System.out.println("HostsIT: start orders of seed " + seed);
    random.setSeed(seed);
  }

  @Test
  void formsByNamesInAnyStartOrderAndServesAClientOnASixthHost() throws Exception {
    List<String> answers = new ArrayList<>();
    try (HostedCluster cluster = open(Map.of());
        HostedApi api = cluster.client()) {
      for (int i = 0; i < SERVED; i++) {
        startInAnyOrder(cluster, HostedCluster.SERVE);
        cluster.awaitReady();
        answers.add(api.text(TOKENS));
        cluster.end();
      }
    }
    assertThat(answers).hasSize(SERVED).containsOnly(answers.getFirst());
  }

  @ParameterizedTest
  @CsvSource({
    "synthetic/s02-h64kv8-hd4-ffn224, golden.json, s02-h64kv8-hd4-ffn224-q8_0.gguf",
    "models/stories260K, golden-f32.json, stories260K-f32.gguf",
  })
  void passesGoldenLogits(String folder, String golden, String model) throws Exception {
    Path reference = GoldenCases.directory(HostsIT.class).resolve(folder);
    GoldenCases cases = GoldenCases.read(reference.resolve(golden), model);
    try (HostedCluster cluster = open(Map.of("/tmp/reference", reference))) {
      cases.check(
          logits(
              cluster,
              "/tmp/reference/" + model,
              cases.prompts().toString(),
              List.of("--activations", "f32", "--kv", "f32", "--check-ranks")),
          TOLERANCE);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, false", "BF16, true", "Q8, false"})
  void putsOnTheCablesWhatTheFormulaSays(PayloadType payload, boolean direct) throws Exception {
    try (HostedCluster cluster = open(Map.of())) {
      TinyLlama.write(directory.resolve("wide.gguf"), WIDE, name -> DType.F32, 1);
      String ids =
          IntStream.range(0, STEPS * STEP_ROWS)
              .mapToObj(i -> Integer.toString(i % WIDE.vocabSize()))
              .collect(Collectors.joining(",", "[[", "]]"));
      logits(
          cluster,
          "/models/wide.gguf",
          ids,
          List.of(
              "--sync",
              payload,
              "--collective",
              direct ? "direct" : "scatter",
              "--prefill-chunk",
              STEP_ROWS));
      long sent = 0;
      for (String worker : HostedCluster.workers(WORKERS)) {
        sent += cluster.host(worker).sentBytes();
      }
      WireBytes formula = new WireBytes(WORKERS, WIDE.layers(), WIDE.hiddenSize(), payload, direct);
      long expected = STEPS * formula.ofStep(STEP_ROWS);
      System.out.printf(
          "HostsIT: %s %s: %,d bytes on the cables, %+.2f %% of the formula's%n",
          payload, direct ? "direct" : "scatter", sent, 100.0 * (sent - expected) / expected);
      assertThat(sent).isCloseTo(expected, Percentage.withPercentage(5));
    }
  }

  private HostedCluster open(Map<String, Path> folders) throws Exception {
    return HostedCluster.open(HostsIT.class, directory, Link.GIGABIT, WORKERS, folders);
  }

  /** Returns what {@code caravan logits} prints on the coordinator's host. */
  private String logits(HostedCluster cluster, String model, String ids, List<Object> options)
      throws Exception {
    Files.writeString(directory.resolve("ids.json"), ids);
    List<Object> command = new ArrayList<>(List.of("logits", "--model", model));
    command.addAll(List.of("--ids-file", "/models/ids.json", "--format", "json"));
    command.addAll(options);
    startInAnyOrder(cluster, command);
    HostProcess coordinator = cluster.process(HostedCluster.COORDINATOR);
    assertThat(coordinator.awaitExit(HostedCluster.PATIENCE)).as(coordinator.err()).isZero();
    return coordinator.out();
  }

  /** Starts each process while those before it are still starting, or when the last one listens. */
  private void startInAnyOrder(HostedCluster cluster, List<Object> coordinator) throws Exception {
    List<String> order = new ArrayList<>(HostedCluster.workers(WORKERS));
    order.add(HostedCluster.COORDINATOR);
    Collections.shuffle(order, random);
    for (String name : order) {
      if (name.equals(HostedCluster.COORDINATOR)) {
        cluster.startCoordinator(WORKERS, coordinator);
      } else {
        cluster.startWorker(name);
      }
      if (random.nextBoolean()) {
        cluster.awaitListening(name);
      }
    }
  }
}
