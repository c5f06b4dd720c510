package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.structure.OutputDelta;
import dev.caravan.coordinator.structure.ToolCallParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what a model answers: text, or tool calls if there are tools. Confined to one choice. */
final class ChatReader {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final Optional<ToolCallParser> calls;

  /**
   * @param calls finds the tool calls; empty if there are no tools
   */
  ChatReader(Optional<ToolCallParser> calls) {
    this.calls = calls;
  }

  /** Takes the next part of the text. */
  List<OutputDelta> accept(String text) {
    if (calls.isPresent()) {
      return calls.get().accept(text);
    }
    return text.isEmpty() ? List.of() : List.of(new OutputDelta.Content(text));
  }

  /** Ends the text: returns what was held back. */
  List<OutputDelta> end() {
    return calls.map(ToolCallParser::end).orElse(List.of());
  }

  /** Returns how the choice ended, once its text was read. */
  String finishReason(String reason) {
    boolean called = calls.map(ToolCallParser::hasCalls).orElse(false);
    return called && reason.equals("stop") ? "tool_calls" : reason;
  }

  /** Returns a delta as it is streamed. */
  static ObjectNode json(OutputDelta delta) {
    ObjectNode json = JSON.objectNode();
    switch (delta) {
      case OutputDelta.Content content -> json.put("content", content.text());
      case OutputDelta.CallStart start -> {
        ObjectNode call = json.putArray("tool_calls").addObject().put("index", start.index());
        function(call, start).put("arguments", "");
      }
      case OutputDelta.CallArguments arguments ->
          json.putArray("tool_calls")
              .addObject()
              .put("index", arguments.index())
              .putObject("function")
              .put("arguments", arguments.json());
    }
    return json;
  }

  /** Returns the message that a whole text is. */
  ObjectNode message(String text) {
    List<OutputDelta> deltas = new ArrayList<>(accept(text));
    deltas.addAll(end());
    StringBuilder content = new StringBuilder();
    ArrayNode list = JSON.arrayNode();
    List<StringBuilder> arguments = new ArrayList<>();
    for (OutputDelta delta : deltas) {
      switch (delta) {
        case OutputDelta.Content part -> content.append(part.text());
        case OutputDelta.CallStart start -> {
          function(list.addObject(), start);
          arguments.add(new StringBuilder());
        }
        case OutputDelta.CallArguments part -> arguments.get(part.index()).append(part.json());
      }
    }
    ObjectNode message = JSON.objectNode().put("role", "assistant");
    message.put("content", list.isEmpty() || !content.isEmpty() ? content.toString() : null);
    message.putNull("refusal");
    for (int i = 0; i < list.size(); i++) {
      ((ObjectNode) list.get(i).get("function")).put("arguments", arguments.get(i).toString());
    }
    if (!list.isEmpty()) {
      message.set("tool_calls", list);
    }
    return message;
  }

  private static ObjectNode function(ObjectNode call, OutputDelta.CallStart start) {
    return call.put("id", start.id())
        .put("type", "function")
        .putObject("function")
        .put("name", start.name());
  }
}
