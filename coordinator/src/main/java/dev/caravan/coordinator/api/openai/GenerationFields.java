package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.ApiException;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.text.TextRequest;
import dev.caravan.coordinator.sample.LogitAdjustments;
import dev.caravan.coordinator.sample.SamplingParameters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Reads the fields that chats and completions have in common. */
final class GenerationFields {
  static final int MAX_CHOICES = 16;
  static final int MAX_TOP_LOGPROBS = 20;
  private static final double SMALLEST_POSITIVE = 1e-6;

  private GenerationFields() {}

  /**
   * Reads them.
   *
   * @throws ApiException status 400 that names the field
   */
  static GenerationParameters read(Fields fields, ServedModel model) {
    boolean stream = fields.flag("stream", false);
    boolean usage =
        fields
            .object("stream_options")
            .map(options -> options.flag("include_usage", false))
            .orElse(false);
    if (fields.has("stream_options") && !stream) {
      throw fields.invalid("stream_options", "only allowed when stream is true");
    }
    return new GenerationParameters(
        sampling(fields, model),
        fields.integer("n", 1, 1, MAX_CHOICES),
        fields.flag("ignore_eos", false),
        stops(fields),
        stream,
        usage);
  }

  /**
   * Checks that the request means the model that is served.
   *
   * @throws ApiException status 404 for another one
   */
  static void checkModel(Fields fields, ServedModel model) {
    String wanted = fields.text("model").orElse(model.id());
    if (!wanted.equals(model.id())) {
      throw unknownModel(wanted, model);
    }
  }

  static ApiException unknownModel(String wanted, ServedModel model) {
    return new ApiException(
        new ApiError(
            404,
            "invalid_request_error",
            "there is no model '%.200s' here; this server has '%s'".formatted(wanted, model.id()),
            "model",
            "model_not_found"));
  }

  private static SamplingParameters sampling(Fields fields, ServedModel model) {
    return new SamplingParameters(
        fields.number("temperature", 1, 0, 100),
        fields.integer("top_k", 0, -1, Integer.MAX_VALUE) == -1
            ? 0
            : fields.integer("top_k", 0, 0, Integer.MAX_VALUE),
        fields.number("top_p", 1, SMALLEST_POSITIVE, 1),
        fields.number("min_p", 0, 0, 1),
        fields.number("repetition_penalty", 1, SMALLEST_POSITIVE, 100),
        fields.has("seed")
            ? fields.integer("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE)
            : ThreadLocalRandom.current().nextLong(),
        new LogitAdjustments(
            fields.number("presence_penalty", 0, -2, 2),
            fields.number("frequency_penalty", 0, -2, 2),
            logitBias(fields, model)));
  }

  private static Map<Integer, Double> logitBias(Fields fields, ServedModel model) {
    Optional<Fields> given = fields.object("logit_bias");
    if (given.isEmpty()) {
      return Map.of();
    }
    Map<Integer, Double> biases = new HashMap<>();
    for (String name : given.get().names()) {
      int vocabulary = model.tokenizer().vocabulary().size();
      if (!name.matches("[0-9]{1,9}") || Integer.parseInt(name) >= vocabulary) {
        throw fields.invalid(
            "logit_bias", "'%.20s' is no token id of 0..%d".formatted(name, vocabulary - 1));
      }
      biases.put(Integer.parseInt(name), given.get().number(name, 0, -100, 100));
    }
    return biases;
  }

  private static List<String> stops(Fields fields) {
    JsonNode stop = fields.get("stop");
    if (stop.isMissingNode()) {
      return List.of();
    }
    List<String> stops = new ArrayList<>();
    if (stop.isArray()) {
      if (stop.size() > TextRequest.MAX_STOPS) {
        throw fields.invalid(
            "stop", "%d texts; at most %d".formatted(stop.size(), TextRequest.MAX_STOPS));
      }
      stop.forEach(each -> stops.add(stopText(fields, each)));
    } else {
      stops.add(stopText(fields, stop));
    }
    return stops;
  }

  private static String stopText(Fields fields, JsonNode stop) {
    if (!stop.isTextual()) {
      throw fields.wrongType("stop", stop, "a text or a list of texts");
    }
    String text = stop.textValue();
    if (text.isEmpty() || text.length() > TextRequest.MAX_STOP_CHARS) {
      throw fields.invalid(
          "stop",
          "a text of %d characters; 1 to %d".formatted(text.length(), TextRequest.MAX_STOP_CHARS));
    }
    return text;
  }
}
