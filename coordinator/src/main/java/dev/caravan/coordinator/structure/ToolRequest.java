package dev.caravan.coordinator.structure;

import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.structure.grammar.FreeTextConstraint;
import dev.caravan.coordinator.structure.grammar.Node;
import dev.caravan.coordinator.structure.schema.JsonText;
import dev.caravan.coordinator.structure.schema.SchemaCompiler;
import dev.caravan.coordinator.structure.schema.SchemaPlace;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What tools, tool_choice and parallel_tool_calls of a request ask for.
 *
 * @param tools those that may be called
 * @param forced true: one has to be called
 * @param parallel true: several may be called
 */
record ToolRequest(List<Tool> tools, boolean forced, boolean parallel) {
  private static final int MAX_TOOLS = 128;
  private static final int MAX_CALLS = 8;
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,64}");

  /** A function and the JSON of its arguments. */
  private record Tool(String name, Node arguments) {}

  /**
   * Reads a request.
   *
   * @return nothing if no tool is to be called
   * @throws ClusterException INVALID_REQUEST whose message starts with the place of what is wrong
   */
  static Optional<ToolRequest> of(JsonNode tools, JsonNode choice, boolean parallel) {
    List<Tool> offered = tools(tools);
    boolean named = choice.isObject();
    String mode = named ? "function" : choice.asText("auto");
    return switch (mode) {
      case "none" -> Optional.empty();
      case "null", "auto", "" ->
          offered.isEmpty()
              ? Optional.empty()
              : Optional.of(new ToolRequest(offered, false, parallel));
      case "required" -> {
        if (offered.isEmpty()) {
          throw invalid("tool_choice is required, but tools is empty");
        }
        yield Optional.of(new ToolRequest(offered, true, parallel));
      }
      case "function" -> Optional.of(new ToolRequest(List.of(named(offered, choice)), true, false));
      default ->
          throw invalid(
              "tool_choice is %.40s; it has to be none, auto, required or a function", choice);
    };
  }

  private static List<Tool> tools(JsonNode tools) {
    if (!tools.isArray() && !tools.isMissingNode() && !tools.isNull()) {
      throw invalid("tools is not a list");
    }
    if (tools.size() > MAX_TOOLS) {
      throw invalid("tools has %d entries; %d are supported", tools.size(), MAX_TOOLS);
    }
    List<Tool> offered = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (JsonNode tool : tools) {
      String place = "tools[%d]".formatted(offered.size());
      if (!tool.path("type").asText().equals("function")) {
        throw invalid("%s.type is %.40s; only function is supported", place, tool.path("type"));
      }
      JsonNode function = tool.path("function");
      String name = function.path("name").asText();
      if (!NAME.matcher(name).matches() || !names.add(name)) {
        throw invalid(
            "%s.function.name is %.80s; each tool needs a name of its own of 1 to 64 of a-z, A-Z, 0-9, _ and -",
            place, function.path("name"));
      }
      offered.add(new Tool(name, arguments(function, place + ".function.parameters")));
    }
    return offered;
  }

  private static Node arguments(JsonNode function, String place) {
    JsonNode parameters = function.path("parameters");
    if (parameters.isMissingNode() || parameters.isNull()) {
      return text("{}");
    }
    if (!parameters.isObject() || !parameters.path("type").asText("object").equals("object")) {
      throw invalid("%s is no schema of type object", place);
    }
    ObjectNode schema = parameters.deepCopy();
    schema.set("type", JsonNodeFactory.instance.textNode("object"));
    return SchemaCompiler.compile(schema, SchemaPlace.of(place));
  }

  private static Tool named(List<Tool> offered, JsonNode choice) {
    JsonNode name = choice.path("function").path("name");
    if (!choice.path("type").asText().equals("function") || !name.isTextual()) {
      throw invalid("tool_choice is %.80s; it has to be of type function with a name", choice);
    }
    return offered.stream()
        .filter(tool -> tool.name.equals(name.textValue()))
        .findFirst()
        .orElseThrow(() -> invalid("tool_choice names %.80s, which is not among tools", name));
  }

  /** Returns the grammar of the calls. */
  Node grammar() {
    List<Node> calls = new ArrayList<>();
    for (Tool tool : tools) {
      calls.add(
          sequence(
              text("{\"name\":"),
              JsonText.space(),
              text("\"%s\",".formatted(tool.name)),
              JsonText.space(),
              text("\"parameters\":"),
              JsonText.space(),
              tool.arguments,
              text("}")));
    }
    Node call = Node.choice(calls);
    Node more = sequence(text(";"), JsonText.space(), call);
    // A model that has to call could otherwise write white space for ever.
    Node before = forced ? JsonText.space() : FreeTextConstraint.BLANK;
    return sequence(before, call, new Node.Repeat(more, 0, parallel ? MAX_CALLS - 1 : 0));
  }

  private static ClusterException invalid(String format, Object... arguments) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, format.formatted(arguments));
  }
}
