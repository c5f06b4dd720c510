package dev.caravan.coordinator.text.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/**
 * One message of a conversation.
 *
 * @param role who speaks: system, user, assistant, tool, or what else the template knows
 * @param fields all of the message as the template sees it, the role among them
 */
public record ChatMessage(String role, ObjectNode fields) {

  public ChatMessage {
    fields = fields.deepCopy();
  }

  /** Returns a copy, for JSON objects can be changed. */
  @Override
  public ObjectNode fields() {
    return fields.deepCopy();
  }

  /**
   * Reads a message. Content that is a list of text parts becomes one text with a line for each
   * part, because most templates take only texts; any other content stays what it is.
   *
   * @param where the message's place in the request, for errors
   * @throws ClusterException INVALID_REQUEST if it is no object with a role, or if a part of the
   *     content is no text
   */
  public static ChatMessage of(JsonNode message, String where) {
    if (!message.isObject()) {
      throw invalid("%s is a JSON %s, not an object", where, message.getNodeType());
    }
    JsonNode role = message.path("role");
    if (!role.isTextual() || role.textValue().isEmpty()) {
      throw invalid("%s.role is %s, not a text such as \"user\"", where, shown(role));
    }
    ObjectNode fields = message.deepCopy();
    JsonNode content = message.path("content");
    if (isParts(content)) {
      fields.set("content", new TextNode(joined(content, where)));
    }
    return new ChatMessage(role.textValue(), fields);
  }

  /** An answer of a tool may be any JSON: only objects that name their type are parts. */
  private static boolean isParts(JsonNode content) {
    if (!content.isArray() || content.isEmpty()) {
      return false;
    }
    for (JsonNode part : content) {
      if (!part.path("type").isTextual()) {
        return false;
      }
    }
    return true;
  }

  private static String joined(JsonNode content, String where) {
    List<String> texts = new ArrayList<>();
    for (JsonNode part : content) {
      String place = "%s.content[%d]".formatted(where, texts.size());
      if (!part.path("type").textValue().equals("text")) {
        throw invalid(
            "%s has the type %s; only parts of type text are supported",
            place, shown(part.path("type")));
      }
      if (!part.path("text").isTextual()) {
        throw invalid("%s.text is %s, not a text", place, shown(part.path("text")));
      }
      texts.add(part.path("text").textValue());
    }
    return String.join("\n", texts);
  }

  private static String shown(JsonNode node) {
    return node.isMissingNode() ? "missing" : "%.60s".formatted(node);
  }

  private static ClusterException invalid(String format, Object... arguments) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, format.formatted(arguments));
  }
}
