package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.ApiException;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.JsonBody;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.chat.ChatInput;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Map;
import java.util.Set;

/** Makes prompts of conversations. */
public final class ChatPrompts {
  private static final String MESSAGES = "messages";
  private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

  private ChatPrompts() {}

  /**
   * Returns the prompt's ids.
   *
   * @throws ApiException status 400 if the conversation is not one, or the template refuses it
   */
  public static int[] ids(ServedModel model, Fields fields) {
    return Prompts.encode(model.tokenizer(), text(model, fields));
  }

  /**
   * Returns the prompt, special tokens written out.
   *
   * @throws ApiException status 400 if the conversation is not one, or the template refuses it
   */
  static String text(ServedModel model, Fields fields) {
    ChatTemplate template =
        model
            .chatTemplate()
            .orElseThrow(() ->
                new ApiException(
                    ApiError.ofStatus(
                        400,
                        "the model has no chat template; use /v1/completions or start the server"
                            + " with --chat-template")));
    ObjectNode input = JsonNodeFactory.instance.objectNode();
    input.set(MESSAGES, messages(fields));
    JsonNode tools = fields.get("tools");
    if (!tools.isEmpty() && !fields.get("tool_choice").asText().equals("none")) {
      input.set("tools", tools);
    }
    input.put("add_generation_prompt", fields.flag("add_generation_prompt", true));
    try {
      ChatInput chat = ChatInput.of(input);
      for (Map.Entry<String, String> token : model.templateTokens().entrySet()) {
        chat = chat.withDefault(token.getKey(), token.getValue());
      }
      return template.render(chat, LocalDateTime.now(ZoneId.systemDefault()));
    } catch (ClusterException e) {
      if (e.code() == ErrorCode.INVALID_REQUEST) {
        throw new ApiException(ApiError.ofParam(MESSAGES, String.valueOf(e.getMessage())), e);
      }
      throw e;
    }
  }

  private static ArrayNode messages(Fields fields) {
    JsonNode given = fields.get(MESSAGES);
    if (!given.isArray()) {
      throw fields.wrongType(MESSAGES, given, "a list of messages");
    }
    if (given.isEmpty()) {
      throw fields.invalid(MESSAGES, "the list is empty; give at least one message");
    }
    ArrayNode messages = JsonNodeFactory.instance.arrayNode();
    for (JsonNode message : given) {
      messages.add(message(fields, message, "messages[%d]".formatted(messages.size())));
    }
    return messages;
  }

  private static JsonNode message(Fields fields, JsonNode message, String where) {
    if (!(message instanceof ObjectNode object)) {
      throw fields.invalid(MESSAGES, "%s is no object".formatted(where));
    }
    ObjectNode copy = object.deepCopy();
    String role = object.path("role").asText();
    if (role.equals("developer")) {
      // OpenAI's newer name of the system's role; no template knows it.
      copy.put("role", "system");
    } else if (!ROLES.contains(role)) {
      throw fields.invalid(
          MESSAGES,
          "%s.role is '%.60s'; system, developer, user, assistant and tool are known"
              .formatted(where, role));
    }
    JsonNode content = object.path("content");
    if (!content.isTextual() && !content.isArray() && !isToolCall(object)) {
      throw fields.invalid(MESSAGES, "%s.content is no text and no list of parts".formatted(where));
    }
    for (JsonNode call : copy.path("tool_calls")) {
      readArguments(fields, call.path("function"), where);
    }
    return copy;
  }

  /** OpenAI writes a call's arguments as text, templates want the object. */
  private static void readArguments(Fields fields, JsonNode function, String where) {
    if (function instanceof ObjectNode object && object.path("arguments").isTextual()) {
      byte[] text = object.path("arguments").textValue().getBytes(StandardCharsets.UTF_8);
      try {
        object.set("arguments", JsonBody.parse(text));
      } catch (ApiException e) {
        throw fields.invalid(
            MESSAGES, "%s: the arguments of a tool call are no JSON object".formatted(where));
      }
    }
  }

  private static boolean isToolCall(ObjectNode message) {
    return message.path("role").asText().equals("assistant")
        && message.path("tool_calls").isArray();
  }
}
