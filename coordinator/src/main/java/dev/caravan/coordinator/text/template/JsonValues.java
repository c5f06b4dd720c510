package dev.caravan.coordinator.text.template;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes values of JSON. Confined to one rendering. */
final class JsonValues {
  private final RenderBudget budget;

  JsonValues(RenderBudget budget) {
    this.budget = budget;
  }

  /**
   * Returns the value of JSON.
   *
   * @throws TemplateFailure if it is deeper than values can be, or too much
   */
  Value of(JsonNode node) {
    return of(node, 0);
  }

  private Value of(JsonNode node, int depth) {
    budget.step();
    if (depth > Value.MAX_DEPTH) {
      throw TemplateFailure.of(
          "the input is nested deeper than %d levels".formatted(Value.MAX_DEPTH));
    }
    return switch (node.getNodeType()) {
      case NULL, MISSING -> Value.None.NONE;
      case BOOLEAN -> Value.Bool.of(node.booleanValue());
      case NUMBER ->
          node.isIntegralNumber()
              ? Numbers.bounded(node.bigIntegerValue())
              : new Value.Float(node.doubleValue());
      case STRING -> new Value.Text(node.textValue());
      case ARRAY -> {
        List<Value> values = new ArrayList<>(node.size());
        for (JsonNode element : node) {
          values.add(of(element, depth + 1));
        }
        yield Value.Items.list(values);
      }
      case OBJECT -> {
        Map<Object, Value> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : node.properties()) {
          entries.put(field.getKey(), of(field.getValue(), depth + 1));
        }
        yield Value.Mapping.of(entries);
      }
      case BINARY, POJO -> throw new IllegalArgumentException("not JSON: " + node.getNodeType());
    };
  }
}
