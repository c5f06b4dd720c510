package dev.caravan.bench.cluster;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;

/** Models with random weights that three ranks and two stages can share. */
enum TinyModels {
  F32(DType.F32),
  BF16(DType.BF16),
  F16(DType.F16),
  Q8_0(DType.Q8_0),
  Q4_0(DType.Q4_0),
  K_QUANTS(TinyModels::kQuant);

  static final int VOCAB_SIZE = 101;

  /** Hidden size 96, three KV heads, widths that leave ragged ends. */
  private static final LlamaConfig SMALL =
      new LlamaConfig(
          96, 224, 2, 6, 3, 32, VOCAB_SIZE, 512, 1e-5f, 10_000, new RopeScaling.None(), true);

  /** As narrow as three ranks with whole blocks of 256 allow. */
  private static final LlamaConfig WIDE =
      new LlamaConfig(
          256, 768, 2, 12, 3, 64, VOCAB_SIZE, 512, 1e-5f, 500_000, new RopeScaling.None(), false);

  private static final long SEED = 20;

  private final Function<WeightName, DType> types;

  TinyModels(DType type) {
    this(name -> type);
  }

  TinyModels(Function<WeightName, DType> types) {
    this.types = types;
  }

  /** Writes the model, or returns the file if it is there already. */
  Path write(Path directory) throws IOException {
    Path file = directory.resolve(name() + ".gguf");
    if (!Files.exists(file)) {
      TinyLlama.write(file, this == K_QUANTS ? WIDE : SMALL, types, SEED);
    }
    return file;
  }

  private static DType kQuant(WeightName name) {
    return switch (name.kind()) {
      case VALUE, FFN_UP, TOKEN_EMBEDDING -> DType.Q5_K;
      case FFN_DOWN, OUTPUT -> DType.Q6_K;
      default -> DType.Q4_K;
    };
  }
}
