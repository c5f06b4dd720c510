package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.model.error.ClusterException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks with a served model in a terminal, or answers the lines of a file. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    description = {
      "Talks with the model of a running caravan serve, or with one that it serves to itself; the",
      "answer appears as it is generated.",
      "Each line of standard input is a message. In a terminal Ctrl-C stops an answer."
    })
final class ChatCommand implements Callable<Integer> {
  private static final Duration MODEL_TIMEOUT = Duration.ofSeconds(30);
  private static final String HELP =
      "/help shows this, /reset forgets what was said, /exit or Ctrl-D ends; Ctrl-C stops an answer";

  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      description = "with --model: a Jinja template for chats (default: the model's own)")
  private @Nullable Path chatTemplate;

  @Option(names = "--system", paramLabel = "T", description = "what the model is told first")
  private @Nullable String system;

  @Option(names = "--max-tokens", paramLabel = "N", description = "most tokens of an answer")
  private @Nullable Integer maxTokens;

  @Option(names = "--temperature", description = "0 takes the likeliest token, always")
  private @Nullable Double temperature;

  @Option(names = "--top-k", description = "keep the K likeliest tokens")
  private @Nullable Integer topK;

  @Option(names = "--top-p", description = "keep the likeliest tokens up to this probability")
  private @Nullable Double topP;

  @Option(
      names = "--min-p",
      description = "keep tokens with this share of the best one's probability")
  private @Nullable Double minP;

  @Option(names = "--repeat-penalty", description = "over 1 makes tokens that occurred less likely")
  private @Nullable Double repeatPenalty;

  @Option(names = "--seed", description = "same seed, same answers")
  private @Nullable Long seed;

  @Override
  public Integer call() {
    try (ServerConnection connection = server.connectForChat(output, chatTemplate)) {
      ApiClient client = connection.client();
      Conversation conversation = new Conversation(client, settings(client), system);
      if (System.console() == null || !System.console().isTerminal()) {
        talk(conversation, false);
        return 0;
      }
      System.err.printf("%s (%s)%n", connection.url(), HELP);
      try (InterruptKey key = InterruptKey.runs(conversation::stop)) {
        talk(conversation, true);
      }
    }
    return 0;
  }

  /** What is not given is left to the server. */
  private ObjectNode settings(ApiClient client) {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    settings.put("model", client.model(MODEL_TIMEOUT));
    put(settings, "max_tokens", maxTokens);
    put(settings, "temperature", temperature);
    put(settings, "top_k", topK);
    put(settings, "top_p", topP);
    put(settings, "min_p", minP);
    put(settings, "repetition_penalty", repeatPenalty);
    put(settings, "seed", seed);
    return settings;
  }

  private static void put(ObjectNode settings, String name, @Nullable Object value) {
    if (value != null) {
      settings.putPOJO(name, value);
    }
  }

  private void talk(Conversation conversation, boolean terminal) {
    Output out = new Output();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (true) {
      if (terminal) {
        System.err.print("> ");
      }
      String line = readLine(lines);
      if (line == null || line.strip().equals("/exit")) {
        return;
      }
      switch (line.strip()) {
        case "" -> {}
        case "/help" -> System.err.println(HELP);
        case "/reset" -> conversation.reset();
        default -> answer(conversation, line, out, terminal);
      }
    }
  }

  private static @Nullable String readLine(BufferedReader lines) {
    try {
      return lines.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read standard input", e);
    }
  }

  private void answer(Conversation conversation, String line, Output out, boolean terminal) {
    try {
      if (output.isJson()) {
        out.json(json(conversation.say(line, _ -> {})));
        return;
      }
      conversation.say(line, out::piece);
      out.line("");
    } catch (ClusterException e) {
      if (!terminal) {
        throw e;
      }
      System.err.printf("%ncaravan: %s%n", e.getMessage());
    }
  }

  private static Map<String, Object> json(Conversation.Answer answer) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("content", answer.text());
    line.put("finish_reason", answer.finishReason());
    line.put("prompt_tokens", answer.usage().path("prompt_tokens").asInt());
    line.put("completion_tokens", answer.usage().path("completion_tokens").asInt());
    return line;
  }
}
