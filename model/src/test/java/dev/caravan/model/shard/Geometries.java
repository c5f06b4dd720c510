package dev.caravan.model.shard;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Geometries of published models. */
final class Geometries {

  private Geometries() {}

  static LlamaConfig config(
      int hidden, int ffn, int layers, int heads, int kvHeads, int headDim, int vocab) {
    return new LlamaConfig(
        hidden,
        ffn,
        layers,
        heads,
        kvHeads,
        headDim,
        vocab,
        4096,
        1e-5f,
        10000,
        new RopeScaling.None(),
        false);
  }

  static Map<String, LlamaConfig> published() {
    Map<String, LlamaConfig> all = new TreeMap<>();
    all.put("llama-2-7b", config(4096, 11008, 32, 32, 32, 128, 32000));
    all.put("llama-2-13b", config(5120, 13824, 40, 40, 40, 128, 32000));
    all.put("llama-2-70b", config(8192, 28672, 80, 64, 8, 128, 32000));
    all.put("llama-3.2-1b", config(2048, 8192, 16, 32, 8, 64, 128256));
    all.put("llama-3.2-3b", config(3072, 8192, 28, 24, 8, 128, 128256));
    all.put("llama-3.1-8b", config(4096, 14336, 32, 32, 8, 128, 128256));
    all.put("llama-3.1-70b", config(8192, 28672, 80, 64, 8, 128, 128256));
    all.put("llama-3.1-405b", config(16384, 53248, 126, 128, 8, 128, 128256));
    return all;
  }

  static LlamaConfig published(String name) {
    return Objects.requireNonNull(published().get(name), name);
  }
}
