package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.coordinator.client.EventStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A conversation with a served model: its history and the answer that is coming. */
final class Conversation {
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  private final ApiClient client;

  /** All of a request but the messages. */
  private final ObjectNode settings;

  private final @Nullable String system;
  private ArrayNode messages;

  /** The answer that is coming; closed by another thread to stop it. */
  private volatile @Nullable EventStream open;

  private volatile boolean stopped;

  Conversation(ApiClient client, ObjectNode settings, @Nullable String system) {
    this.client = client;
    this.settings = settings.deepCopy();
    this.system = system;
    this.messages = start();
  }

  /**
   * An answer.
   *
   * @param finishReason stop, length, or stopped if {@link #stop} ended it
   * @param usage what the server counted; a missing node if it was stopped
   */
  record Answer(String text, String finishReason, JsonNode usage) {}

  /** Forgets all that was said. */
  void reset() {
    messages = start();
  }

  private ArrayNode start() {
    ArrayNode empty = JsonNodeFactory.instance.arrayNode();
    if (system != null) {
      add(empty, "system", system);
    }
    return empty;
  }

  private static void add(ArrayNode list, String role, String content) {
    list.addObject().put("role", role).put("content", content);
  }

  /** Stops the answer that is coming, if there is one; what came of it is kept. */
  void stop() {
    EventStream stream = open;
    if (stream != null) {
      stopped = true;
      stream.close();
    }
  }

  /**
   * Says something and hears the answer. If it fails nothing was said.
   *
   * @param pieces hears the answer's text as it comes
   * @throws dev.caravan.model.error.ClusterException why there is no answer
   */
  Answer say(String text, Consumer<String> pieces) {
    ArrayNode said = messages.deepCopy();
    add(said, "user", text);
    ObjectNode request = settings.deepCopy();
    request.put("stream", true).putObject("stream_options").put("include_usage", true);
    request.set("messages", said);
    Answer answer;
    stopped = false;
    try (EventStream stream = client.stream("/v1/chat/completions", request, TIMEOUT)) {
      open = stream;
      answer = hear(stream, pieces);
    } finally {
      open = null;
    }
    add(said, "assistant", answer.text());
    messages = said;
    return answer;
  }

  private Answer hear(EventStream stream, Consumer<String> pieces) {
    StringBuilder text = new StringBuilder();
    String finishReason = "";
    JsonNode usage = JsonNodeFactory.instance.missingNode();
    while (true) {
      Optional<EventStream.Event> event;
      try {
        event = stream.next(TIMEOUT);
      } catch (RuntimeException e) {
        if (stopped) {
          return new Answer(text.toString(), "stopped", usage);
        }
        throw e;
      }
      if (event.isEmpty()) {
        return new Answer(text.toString(), finishReason, usage);
      }
      JsonNode json = event.get().json();
      JsonNode choice = json.path("choices").path(0);
      String piece = choice.path("delta").path("content").asText("");
      if (!piece.isEmpty()) {
        text.append(piece);
        pieces.accept(piece);
      }
      finishReason = choice.path("finish_reason").asText(finishReason);
      usage = json.hasNonNull("usage") ? json.get("usage") : usage;
    }
  }
}
