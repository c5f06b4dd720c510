package dev.caravan.coordinator.text.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.caravan.coordinator.text.template.Template;
import java.time.LocalDateTime;

/** A model's chat template: makes one prompt of a conversation. Immutable. */
public final class ChatTemplate {
  private final Template template;

  private ChatTemplate(Template template) {
    this.template = template;
  }

  /**
   * Parses a chat template.
   *
   * @param source Jinja, as the checkpoint holds it
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is not in the
   *     language
   */
  public static ChatTemplate parse(String source) {
    return new ChatTemplate(Template.parse(source));
  }

  /**
   * Returns the prompt, special tokens written out.
   *
   * @param now the time that the template may put into the prompt
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the template refuses the
   *     conversation, in the template's own words, or cannot make a prompt of it
   */
  public String render(ChatInput input, LocalDateTime now) {
    ArrayNode messages = JsonNodeFactory.instance.arrayNode();
    input.messages().forEach(message -> messages.add(message.fields()));
    return template.render(input.templateVariables(messages), now);
  }
}
