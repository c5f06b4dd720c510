package dev.caravan.coordinator.text.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.error.ClusterException;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.Map;

/** Renders templates with variables that are written as JSON. */
final class Rendered {
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 7, 6, 15, 4, 5);

  private Rendered() {}

  /** Renders with no variables. */
  static String of(String template) {
    return of(template, "{}");
  }

  /**
   * Renders.
   *
   * @param variables a JSON object
   */
  static String of(String template, String variables) {
    Map<String, JsonNode> map = new HashMap<>();
    try {
      new ObjectMapper()
          .readTree(variables)
          .properties()
          .forEach(field -> map.put(field.getKey(), field.getValue()));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(variables, e);
    }
    return Template.parse(template).render(map, NOW);
  }

  /** Returns the error of a template that fails. */
  static ClusterException failure(String template, String variables) {
    try {
      throw new AssertionError("rendered: " + of(template, variables));
    } catch (ClusterException e) {
      return e;
    }
  }

  static ClusterException failure(String template) {
    return failure(template, "{}");
  }
}
