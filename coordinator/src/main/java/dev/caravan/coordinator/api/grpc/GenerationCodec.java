package dev.caravan.coordinator.api.grpc;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.openai.ChatPrompts;
import dev.caravan.coordinator.api.text.TextRequest;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.StreamingDecoder;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.generation.v1.Conversation;
import dev.caravan.proto.generation.v1.GenerateRequest;
import dev.caravan.proto.generation.v1.Message;
import dev.caravan.proto.generation.v1.Sampling;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Turns requests into generations. */
final class GenerationCodec {
  private GenerationCodec() {}

  /**
   * Reads a request.
   *
   * @throws ClusterException INVALID_REQUEST with the field and what is wrong with it
   * @throws dev.caravan.coordinator.api.ApiException if the conversation is not one
   */
  static TextRequest decode(GenerateRequest request, ServedModel model, Duration timeout) {
    if (!request.getModel().isEmpty() && !request.getModel().equals(model.id())) {
      throw invalid(
          "there is no model '%.200s' here; this server has '%s'"
              .formatted(request.getModel(), model.id()));
    }
    EngineRequest generation =
        new EngineRequest(
            prompt(request, model),
            request.getMaxTokens() <= 0 ? model.contextLength() : request.getMaxTokens(),
            model.tokenizer().vocabulary().eosIds(),
            sampling(request.getSampling()),
            EngineRequest.NO_LOGPROBS,
            false,
            Optional.empty(),
            timeout);
    StreamingDecoder decoder =
        request.hasConversation()
            ? StreamingDecoder.of(model.tokenizer())
            : StreamingDecoder.of(model.tokenizer(), StreamingDecoder.Option.CONTINUES_TEXT);
    return new TextRequest(generation, decoder, stops(request), true);
  }

  private static int[] prompt(GenerateRequest request, ServedModel model) {
    return switch (request.getPromptCase()) {
      case TEXT -> Prompts.encode(model.tokenizer(), request.getText());
      case IDS -> request.getIds().getIdsList().stream().mapToInt(Integer::intValue).toArray();
      case CONVERSATION -> ChatPrompts.ids(model, fields(request.getConversation()));
      case PROMPT_NOT_SET -> throw invalid("the prompt is missing; give text, ids or conversation");
    };
  }

  private static Fields fields(Conversation conversation) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    ArrayNode messages = object.putArray("messages");
    for (Message message : conversation.getMessagesList()) {
      messages.addObject().put("role", message.getRole()).put("content", message.getContent());
    }
    return new Fields(object);
  }

  private static SamplingParameters sampling(Sampling sampling) {
    return new SamplingParameters(
        sampling.hasTemperature() ? sampling.getTemperature() : 1,
        sampling.getTopK(),
        sampling.hasTopP() ? sampling.getTopP() : 1,
        sampling.getMinP(),
        sampling.hasRepetitionPenalty() ? sampling.getRepetitionPenalty() : 1,
        sampling.hasSeed() ? sampling.getSeed() : ThreadLocalRandom.current().nextLong());
  }

  private static List<String> stops(GenerateRequest request) {
    if (request.getStopCount() > TextRequest.MAX_STOPS) {
      throw invalid(
          "stop has %d texts; at most %d".formatted(request.getStopCount(), TextRequest.MAX_STOPS));
    }
    for (String stop : request.getStopList()) {
      if (stop.isEmpty() || stop.length() > TextRequest.MAX_STOP_CHARS) {
        throw invalid(
            "stop has a text of %d characters; 1 to %d"
                .formatted(stop.length(), TextRequest.MAX_STOP_CHARS));
      }
    }
    return request.getStopList();
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
