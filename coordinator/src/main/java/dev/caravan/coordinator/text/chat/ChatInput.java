package dev.caravan.coordinator.text.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chat template is given.
 *
 * @param messages the conversation
 * @param variables all other variables by name, such as tools, add_generation_prompt, bos_token,
 *     date_string
 */
public record ChatInput(List<ChatMessage> messages, Map<String, JsonNode> variables) {
  private static final String MESSAGES = "messages";

  public ChatInput {
    messages = List.copyOf(messages);
    variables = Map.copyOf(variables);
  }

  /**
   * Reads an object with the conversation as {@code messages}; all its other fields are variables.
   *
   * @throws ClusterException INVALID_REQUEST if there is no list of messages in it
   */
  public static ChatInput of(JsonNode input) {
    JsonNode list = input.path(MESSAGES);
    if (!list.isArray()) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "messages is %s; give a list of objects with role and content"
              .formatted(list.isMissingNode() ? "missing" : "a JSON " + list.getNodeType()));
    }
    List<ChatMessage> messages = new ArrayList<>(list.size());
    for (JsonNode message : list) {
      messages.add(ChatMessage.of(message, "messages[%d]".formatted(messages.size())));
    }
    Map<String, JsonNode> variables = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : input.properties()) {
      if (!field.getKey().equals(MESSAGES)) {
        variables.put(field.getKey(), field.getValue());
      }
    }
    return new ChatInput(messages, variables);
  }

  /** Returns the input with a variable added, unless it has one of that name. */
  public ChatInput withDefault(String name, String value) {
    Map<String, JsonNode> more = new LinkedHashMap<>(variables);
    more.putIfAbsent(name, new TextNode(value));
    return new ChatInput(messages, more);
  }

  /** Returns all variables; tools and documents are None if there are none, as templates expect. */
  Map<String, JsonNode> templateVariables(JsonNode messageList) {
    Map<String, JsonNode> all = new LinkedHashMap<>(variables);
    all.put(MESSAGES, messageList);
    all.putIfAbsent("tools", NullNode.getInstance());
    all.putIfAbsent("documents", NullNode.getInstance());
    return all;
  }
}
