package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.caravan.coordinator.client.ApiClient;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ConversationTest {

  @Test
  void keepsWhatCameOfAnAnswerThatIsStopped() throws IOException {
    try (ScriptedServer server = new ScriptedServer();
        ApiClient client = new ApiClient(server.url() + "/v1/", Optional.empty())) {
      Conversation conversation =
          new Conversation(client, JsonNodeFactory.instance.objectNode(), null);
      server.beginsAndWaits("Once").says("Yes");
      // The first piece is heard while the answer is still open.
      Conversation.Answer stopped = conversation.say("Tell", piece -> conversation.stop());
      assertThat(stopped.text()).isEqualTo("Once");
      assertThat(stopped.finishReason()).isEqualTo("stopped");
      conversation.stop();
      assertThat(conversation.say("Really?", piece -> {}).text()).isEqualTo("Yes");
      assertThat(server.requests().get(1).path("messages"))
          .extracting(message -> message.path("content").asText())
          .containsExactly("Tell", "Once", "Really?");
    }
  }
}
