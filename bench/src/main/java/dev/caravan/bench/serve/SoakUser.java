package dev.caravan.bench.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.coordinator.client.EventStream;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.SplittableRandom;

/** A user who hears answers out, hangs up, or makes mistakes. Confined to one thread. */
final class SoakUser {
  private static final Duration TIMEOUT = Duration.ofMinutes(5);
  private static final String PATH = "/v1/completions";

  /** Single bytes in all vocabularies of Llama, as {@link LoadSettings} draws them. */
  private static final int FIRST_ID = 10;

  private static final int END_ID = 250;

  /** Half of the prompts begin alike, so that they share blocks. */
  private static final int SHARED_SEED = 7;

  private final ApiClient client;
  private final SoakSettings settings;
  private final String model;
  private final SplittableRandom random;

  /** What a request came to. */
  enum End {
    ANSWERED,
    HUNG_UP,
    REFUSED
  }

  SoakUser(ApiClient client, SoakSettings settings, String model, SplittableRandom random) {
    this.client = client;
    this.settings = settings;
    this.model = model;
    this.random = random;
  }

  /**
   * Sends one request.
   *
   * @throws ClusterException what went wrong; OVERLOADED if the user is told to come back
   */
  End next() {
    int draw = random.nextInt(10);
    int tokens = settings.outputTokens().draw(random);
    if (draw < 4) {
      hear(tokens, Integer.MAX_VALUE);
      return End.ANSWERED;
    }
    if (draw < 7) {
      hear(tokens, random.nextInt(tokens));
      return End.HUNG_UP;
    }
    if (draw < 9) {
      client.post(PATH, body(tokens), TIMEOUT);
      return End.ANSWERED;
    }
    return mistake(tokens);
  }

  /** Hears an answer out, or hangs up after some of its parts. */
  private void hear(int tokens, int parts) {
    ObjectNode body = body(tokens).put("stream", true);
    try (EventStream stream = client.stream(PATH, body, TIMEOUT)) {
      for (int i = 0; i < parts && stream.next(TIMEOUT).isPresent(); i++) {}
    }
  }

  private End mistake(int tokens) {
    try {
      client.post(PATH, body(tokens).put("temperature", -1), TIMEOUT);
    } catch (ClusterException e) {
      if (e.code() == ErrorCode.INVALID_REQUEST) {
        return End.REFUSED;
      }
      throw e;
    }
    throw new ClusterException(ErrorCode.INTERNAL, "a request with temperature -1 was answered");
  }

  private ObjectNode body(int tokens) {
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("model", model);
    ArrayNode prompt = body.putArray("prompt");
    SplittableRandom ids = random.nextBoolean() ? random : new SplittableRandom(SHARED_SEED);
    int length = settings.promptTokens().draw(random);
    for (int i = 0; i < length; i++) {
      prompt.add(ids.nextInt(FIRST_ID, END_ID));
    }
    return body.put("max_tokens", tokens)
        .put("ignore_eos", true)
        .put("seed", random.nextLong())
        .put("temperature", random.nextInt(2));
  }
}
