package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the fields of a request. A field that is null counts as not there. Whatever is of the wrong
 * type or out of its range is refused with status 400 and the field's name.
 */
public final class Fields {
  private final ObjectNode object;
  private final String prefix;

  public Fields(ObjectNode object) {
    this(object, "");
  }

  private Fields(ObjectNode object, String prefix) {
    this.object = object;
    this.prefix = prefix;
  }

  /** Returns a field, or a missing node. */
  public JsonNode get(String name) {
    JsonNode node = object.path(name);
    return node.isNull() ? MissingNode.getInstance() : node;
  }

  /** Returns the names of all fields that are there. */
  public List<String> names() {
    return object.propertyStream().map(Map.Entry::getKey).filter(this::has).toList();
  }

  public boolean has(String name) {
    return !get(name).isMissingNode();
  }

  /** Returns a number within a range, both ends included. */
  public double number(String name, double missing, double min, double max) {
    JsonNode node = get(name);
    if (node.isMissingNode()) {
      return missing;
    }
    if (!node.isNumber()) {
      throw wrongType(name, node, "a number");
    }
    double value = node.doubleValue();
    if (!(value >= min && value <= max)) {
      throw invalid(name, "%s is not in %s..%s".formatted(node, shown(min), shown(max)));
    }
    return value;
  }

  /** Returns a whole number within a range, both ends included. */
  public int integer(String name, int missing, int min, int max) {
    return (int) integer(name, (long) missing, min, max);
  }

  /** Returns a whole number within a range, both ends included. */
  public long integer(String name, long missing, long min, long max) {
    JsonNode node = get(name);
    if (node.isMissingNode()) {
      return missing;
    }
    if (!node.isIntegralNumber()) {
      throw wrongType(name, node, "a whole number");
    }
    if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
      throw invalid(name, "%s is not in %d..%d".formatted(node, min, max));
    }
    return node.longValue();
  }

  public boolean flag(String name, boolean missing) {
    JsonNode node = get(name);
    if (node.isMissingNode()) {
      return missing;
    }
    if (!node.isBoolean()) {
      throw wrongType(name, node, "true or false");
    }
    return node.booleanValue();
  }

  public Optional<String> text(String name) {
    JsonNode node = get(name);
    if (node.isMissingNode()) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw wrongType(name, node, "a text");
    }
    return Optional.of(node.textValue());
  }

  /** Returns the fields of an object inside; its errors name both, as in stream_options.x. */
  public Optional<Fields> object(String name) {
    JsonNode node = get(name);
    if (node.isMissingNode()) {
      return Optional.empty();
    }
    if (node instanceof ObjectNode inner) {
      return Optional.of(new Fields(inner, prefix + name + "."));
    }
    throw wrongType(name, node, "an object");
  }

  /** Makes the error of a field that is wrong. */
  public ApiException invalid(String name, String what) {
    return ApiException.ofParam(prefix + name, "%s%s: %s".formatted(prefix, name, what));
  }

  /** Makes the error of a field that has the wrong type. */
  public ApiException wrongType(String name, JsonNode node, String wanted) {
    return invalid(name, "%.60s is not %s".formatted(node, wanted));
  }

  private static String shown(double limit) {
    return limit == Math.rint(limit) ? Long.toString((long) limit) : Double.toString(limit);
  }
}
