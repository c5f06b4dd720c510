package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The metadata of a GGUF file by type; a value of another type is an error that names its key. */
final class GgufMetadata {
  private final Path file;
  private final Map<String, Object> values;

  GgufMetadata(Path file, Map<String, Object> values) {
    this.file = file;
    this.values = values;
  }

  Path file() {
    return file;
  }

  /** Returns an integer of at least 0. */
  OptionalInt optionalInt(String key) {
    Object value = values.get(key);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (value instanceof GgufArray) {
      throw CheckpointErrors.unsupported(
          file,
          "metadata %s is an array (%s), one number for all layers is needed"
              .formatted(key, value));
    }
    if (!(value instanceof Long number) || number < 0 || number > Integer.MAX_VALUE) {
      throw CheckpointErrors.corrupt(
          file,
          "metadata %s is %s, an integer in 0..%d is needed"
              .formatted(key, describe(value), Integer.MAX_VALUE));
    }
    return OptionalInt.of(number.intValue());
  }

  int requiredInt(String key) {
    return optionalInt(key).orElseThrow(() -> missing(key));
  }

  OptionalDouble optionalDouble(String key) {
    Object value = values.get(key);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!(value instanceof Double number)) {
      throw wrongType(key, value, "a float");
    }
    return OptionalDouble.of(number);
  }

  double requiredDouble(String key) {
    return optionalDouble(key).orElseThrow(() -> missing(key));
  }

  Optional<String> optionalString(String key) {
    Object value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof String text)) {
      throw wrongType(key, value, "a string");
    }
    return Optional.of(text);
  }

  boolean bool(String key, boolean whenAbsent) {
    Object value = values.get(key);
    if (value == null) {
      return whenAbsent;
    }
    if (!(value instanceof Boolean flag)) {
      throw wrongType(key, value, "a boolean");
    }
    return flag;
  }

  Optional<GgufArray> optionalArray(String key) {
    Object value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof GgufArray array)) {
      throw wrongType(key, value, "an array");
    }
    return Optional.of(array);
  }

  GgufArray requiredArray(String key) {
    return optionalArray(key).orElseThrow(() -> missing(key));
  }

  private ClusterException missing(String key) {
    return CheckpointErrors.corrupt(file, "metadata %s is missing".formatted(key));
  }

  private ClusterException wrongType(String key, Object value, String wanted) {
    return CheckpointErrors.corrupt(
        file, "metadata %s is %s, %s is needed".formatted(key, describe(value), wanted));
  }

  private static String describe(@Nullable Object value) {
    String text = String.valueOf(value);
    return value instanceof String ? "a string of %d characters".formatted(text.length()) : text;
  }
}
