package dev.caravan.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.model.error.ClusterException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The fields of a JSON object by type. A field that is null counts as absent, as Hugging Face
 * writes it; one of another type is a CHECKPOINT_CORRUPT that names file and field.
 *
 * @param object where the fields are
 * @param prefix path of the object within its file, for messages
 */
record JsonFields(Path file, JsonNode object, String prefix) {

  OptionalInt optionalInt(String name) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      return OptionalInt.empty();
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw wrong(name, node, "an integer of 32 bits");
    }
    return OptionalInt.of(node.intValue());
  }

  int requiredInt(String name) {
    return optionalInt(name).orElseThrow(() -> missing(name));
  }

  OptionalDouble optionalDouble(String name) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      return OptionalDouble.empty();
    }
    if (!node.isNumber()) {
      throw wrong(name, node, "a number");
    }
    return OptionalDouble.of(node.doubleValue());
  }

  double requiredDouble(String name) {
    return optionalDouble(name).orElseThrow(() -> missing(name));
  }

  boolean bool(String name, boolean whenAbsent) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      return whenAbsent;
    }
    if (!node.isBoolean()) {
      throw wrong(name, node, "true or false");
    }
    return node.booleanValue();
  }

  Optional<String> optionalString(String name) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw wrong(name, node, "a string");
    }
    return Optional.of(node.textValue());
  }

  Optional<JsonFields> optionalObject(String name) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      return Optional.empty();
    }
    if (!node.isObject()) {
      throw wrong(name, node, "an object");
    }
    return Optional.of(new JsonFields(file, node, prefix + name + "."));
  }

  JsonFields requiredObject(String name) {
    return optionalObject(name).orElseThrow(() -> missing(name));
  }

  /** Returns an array of integers of 0 or more. */
  long[] requiredLongs(String name) {
    JsonNode node = object.path(name);
    if (isAbsent(node)) {
      throw missing(name);
    }
    if (!node.isArray()) {
      throw wrong(name, node, "an array of integers");
    }
    long[] values = new long[node.size()];
    for (int i = 0; i < values.length; i++) {
      JsonNode element = node.path(i);
      if (!element.isIntegralNumber() || !element.canConvertToLong() || element.longValue() < 0) {
        throw wrong(name + "[" + i + "]", element, "an integer of 0 or more");
      }
      values[i] = element.longValue();
    }
    return values;
  }

  ClusterException missing(String name) {
    return CheckpointErrors.corrupt(file, "%s%s is missing".formatted(prefix, name));
  }

  private ClusterException wrong(String name, JsonNode node, String wanted) {
    String shown = node.isContainerNode() ? node.getNodeType().toString() : node.toString();
    return CheckpointErrors.corrupt(
        file, "%s%s is %.100s, %s is needed".formatted(prefix, name, shown, wanted));
  }

  private static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }
}
