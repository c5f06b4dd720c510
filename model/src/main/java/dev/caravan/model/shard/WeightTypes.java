package dev.caravan.model.shard;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.config.LlamaConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** How each weight of a model is stored, and what its file calls it. Immutable. */
public final class WeightTypes {

  private record Stored(String name, DType dtype) {}

  private final Map<WeightName, Stored> stored;

  private WeightTypes(Map<WeightName, Stored> stored) {
    this.stored = Map.copyOf(stored);
  }

  /**
   * Reads the types of all weights of a checkpoint, once.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if a weight is missing or
   *     has a wrong shape
   */
  public static WeightTypes of(Checkpoint checkpoint) {
    Map<WeightName, Stored> stored = new HashMap<>();
    forEachWeight(
        checkpoint.config().layers(),
        name -> {
          TensorEntry tensor = checkpoint.weight(name);
          String label = "%s tensor %s".formatted(checkpoint.format(), tensor.name());
          stored.put(name, new Stored(label, tensor.dtype()));
        });
    return new WeightTypes(stored);
  }

  /** Returns the types of a model that is not there yet: all matrices of one type, norms F32. */
  public static WeightTypes uniform(LlamaConfig config, DType matrices) {
    Map<WeightName, Stored> stored = new HashMap<>();
    forEachWeight(
        config.layers(),
        name -> stored.put(name, new Stored(label(name), isNorm(name) ? DType.F32 : matrices)));
    return new WeightTypes(stored);
  }

  /** Returns the same types but for one weight. */
  public WeightTypes with(WeightName name, DType dtype) {
    Map<WeightName, Stored> changed = new HashMap<>(stored);
    changed.put(name, new Stored(tensorName(name), dtype));
    return new WeightTypes(changed);
  }

  /**
   * Returns how a weight is stored.
   *
   * @throws IllegalArgumentException if the model has no such weight
   */
  public DType type(WeightName name) {
    return find(name).dtype();
  }

  /** Returns the format and the name that the file gives to the weight, for messages. */
  public String tensorName(WeightName name) {
    return find(name).name();
  }

  private Stored find(WeightName name) {
    Stored found = stored.get(name);
    if (found == null) {
      throw new IllegalArgumentException(
          "no %s among %d weights".formatted(label(name), stored.size()));
    }
    return found;
  }

  private static void forEachWeight(int layers, Consumer<WeightName> consumer) {
    for (WeightName.Kind kind : WeightName.Kind.values()) {
      if (kind.isPerLayer()) {
        for (int layer = 0; layer < layers; layer++) {
          consumer.accept(WeightName.of(kind, layer));
        }
      } else {
        consumer.accept(WeightName.of(kind));
      }
    }
  }

  private static boolean isNorm(WeightName name) {
    return switch (name.kind()) {
      case ATTENTION_NORM, FFN_NORM, FINAL_NORM -> true;
      case TOKEN_EMBEDDING,
          QUERY,
          KEY,
          VALUE,
          ATTENTION_OUTPUT,
          FFN_GATE,
          FFN_UP,
          FFN_DOWN,
          OUTPUT ->
          false;
    };
  }

  private static String label(WeightName name) {
    return name.kind().isPerLayer()
        ? "weight %s of layer %d".formatted(name.kind(), name.layer())
        : "weight %s".formatted(name.kind());
  }
}
