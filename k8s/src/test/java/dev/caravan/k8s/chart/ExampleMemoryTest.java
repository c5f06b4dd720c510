package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.bench.synth.Geometry;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.WeightMatrix;
import io.fabric8.kubernetes.api.model.Quantity;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rule of docs/operations.md for a worker's memory, applied to the example values. */
class ExampleMemoryTest {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** What the image gives a worker as heap: a quarter of its memory, but not more than this. */
  private static final long HEAP_BYTES = 512 * MIB;

  /** Code cache (at most 240 MiB), classes, stacks, activations and what kernels keep aside. */
  private static final long BESIDES_BYTES = GIB;

  static Stream<Path> examples() {
    return Chart.examples().stream();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void asksForWhatTheLargestShardNeedsAndLittleMore(Path example) throws IOException {
    JsonNode values = Chart.parse(Files.readString(example)).getFirst();
    List<JsonNode> objects = Chart.render(example);
    String name = example.getFileName().toString();
    Geometry geometry = Geometry.parse(name.substring(0, name.indexOf('b', "llama-".length()) + 1));
    WeightTypes types =
        values.at("/model/file").asText().contains("q4_k_m")
            ? q4KM(geometry.config())
            : WeightTypes.uniform(geometry.config(), DType.Q8_0);

    long weights = 0;
    long cache = 0;
    for (Shard shard : plan(geometry.config(), types, objects)) {
      weights = Math.max(weights, weightBytes(geometry.config(), types, shard));
      cache = Math.max(cache, cacheBytes(geometry.config(), shard, objects));
    }
    long heap = heapBytes(Chart.container(objects, "worker"));
    long needed = weights + cache + 2 * heap + BESIDES_BYTES;
    long asked =
        Quantity.getAmountInBytes(
                Quantity.parse(
                    Chart.container(objects, "worker").at("/resources/limits/memory").asText()))
            .longValueExact();
    System.out.printf(
        Locale.ROOT,
        "%s: weights %d MiB, KV cache %d MiB, heap %d MiB, needed %d MiB, asked for %d MiB%n",
        name,
        weights / MIB,
        cache / MIB,
        heap / MIB,
        needed / MIB,
        asked / MIB);
    assertThat(asked).isBetween(needed, needed + Math.max(GIB, needed / 5));
  }

  private static List<Shard> plan(LlamaConfig config, WeightTypes types, List<JsonNode> objects) {
    return ShardPlanner.plan(
            config, types, argument(objects, "--stages"), argument(objects, "--remote-workers"))
        .shards();
  }

  private static int argument(List<JsonNode> objects, String option) {
    return Chart.strings(Chart.container(objects, "coordinator").at("/args")).stream()
        .filter(argument -> argument.startsWith(option + "="))
        .mapToInt(argument -> Integer.parseInt(argument.substring(option.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  /** Packed, as the worker's kernels want them. */
  private static long weightBytes(LlamaConfig config, WeightTypes types, Shard shard) {
    int heads = shard.heads().size() * config.headDim();
    int kvHeads = shard.kvHeads().size() * config.headDim();
    int ffn = shard.ffnColumns().size();
    int hidden = config.hiddenSize();
    long bytes = 0;
    for (int layer = shard.layers().start(); layer < shard.layers().end(); layer++) {
      bytes += matrix(types, WeightName.of(Kind.QUERY, layer), heads, hidden);
      bytes += matrix(types, WeightName.of(Kind.KEY, layer), kvHeads, hidden);
      bytes += matrix(types, WeightName.of(Kind.VALUE, layer), kvHeads, hidden);
      bytes += matrix(types, WeightName.of(Kind.ATTENTION_OUTPUT, layer), hidden, heads);
      bytes += matrix(types, WeightName.of(Kind.FFN_GATE, layer), ffn, hidden);
      bytes += matrix(types, WeightName.of(Kind.FFN_UP, layer), ffn, hidden);
      bytes += matrix(types, WeightName.of(Kind.FFN_DOWN, layer), hidden, ffn);
    }
    return shard.vocabRows().isEmpty()
        ? bytes
        : bytes + matrix(types, WeightName.of(Kind.OUTPUT), shard.vocabRows().size(), hidden);
  }

  private static long matrix(WeightTypes types, WeightName name, int rows, int columns) {
    return WeightMatrix.bytes(types.type(name), rows, columns);
  }

  private static long cacheBytes(LlamaConfig config, Shard shard, List<JsonNode> objects) {
    int blocks =
        Math.ceilDiv(argument(objects, "--ctx"), RuntimeSettings.BLOCK_POSITIONS)
            * argument(objects, "--kv-contexts");
    assertThat(Chart.strings(Chart.container(objects, "coordinator").at("/args")))
        .contains("--kv=f16");
    KvShape shape =
        new KvShape(
            shard.layers().size(), shard.kvHeads().size(), config.headDim(), blocks, KvType.F16);
    try (Arena arena = Arena.ofConfined()) {
      return new PagedKvCache(arena, shape).maxBytes();
    }
  }

  private static long heapBytes(JsonNode container) {
    return container
        .at("/env")
        .valueStream()
        .filter(variable -> variable.at("/name").asText().equals("JDK_JAVA_OPTIONS"))
        .map(variable -> variable.at("/value").asText())
        .mapToLong(options -> Long.parseLong(options.replaceAll("^-Xmx(\\d+)g$", "$1")) * GIB)
        .findFirst()
        .orElse(HEAP_BYTES);
  }

  /**
   * A file of type Q4_K_M as llama.cpp writes it: Q4_K, but Q6_K for the head and for the down
   * projections of half the layers. Values are counted as Q6_K in all layers, which is a little too
   * much.
   */
  private static WeightTypes q4KM(LlamaConfig config) {
    WeightTypes types =
        WeightTypes.uniform(config, DType.Q4_K).with(WeightName.of(Kind.OUTPUT), DType.Q6_K);
    int eighth = config.layers() / 8;
    for (int layer = 0; layer < config.layers(); layer++) {
      types = types.with(WeightName.of(Kind.VALUE, layer), DType.Q6_K);
      if (layer < eighth || layer >= 7 * config.layers() / 8 || (layer - eighth) % 3 == 2) {
        types = types.with(WeightName.of(Kind.FFN_DOWN, layer), DType.Q6_K);
      }
    }
    return types;
  }
}
