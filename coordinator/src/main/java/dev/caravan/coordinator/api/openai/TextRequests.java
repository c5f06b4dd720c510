package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.text.TextRequest;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.text.StreamingDecoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Makes the generations that a request asks for. */
final class TextRequests {
  private final ServedModel model;
  private final GenerationParameters parameters;
  private final Duration timeout;

  /**
   * What a chat and a completion ask for differently.
   *
   * @param maxTokens most ids of a choice
   * @param topLogprobs as in {@link EngineRequest}
   * @param promptLogprobs true: the prompt is scored, too
   * @param options of the decoder
   * @param form makes a choice's constraint of the ids that end it, if the answer has to have a
   *     form
   */
  record Shape(
      int maxTokens,
      int topLogprobs,
      boolean promptLogprobs,
      List<StreamingDecoder.Option> options,
      Optional<Function<Set<Integer>, TokenConstraint>> form) {
    Shape {
      options = List.copyOf(options);
    }
  }

  TextRequests(ServedModel model, GenerationParameters parameters, Duration timeout) {
    this.model = model;
    this.parameters = parameters;
    this.timeout = timeout;
  }

  /** Returns the choices of all prompts, those of the first prompt first. */
  List<TextRequest> of(List<int[]> prompts, Shape shape) {
    List<TextRequest> requests = new ArrayList<>();
    // A form ends with an end token, whatever else is asked for.
    boolean endless = parameters.ignoreEos() && shape.form().isEmpty();
    Set<Integer> endIds = endless ? Set.of() : model.tokenizer().vocabulary().eosIds();
    for (int[] prompt : prompts) {
      for (int choice = 0; choice < parameters.choices(); choice++) {
        EngineRequest generation =
            new EngineRequest(
                prompt,
                shape.maxTokens(),
                endIds,
                sampling(choice),
                shape.topLogprobs(),
                shape.promptLogprobs(),
                shape.form().map(form -> form.apply(endIds)),
                timeout);
        StreamingDecoder decoder =
            StreamingDecoder.of(
                model.tokenizer(), shape.options().toArray(StreamingDecoder.Option[]::new));
        requests.add(new TextRequest(generation, decoder, parameters.stops(), choice == 0));
      }
    }
    return requests;
  }

  private SamplingParameters sampling(int choice) {
    SamplingParameters first = parameters.sampling();
    return new SamplingParameters(
        first.temperature(),
        first.topK(),
        first.topP(),
        first.minP(),
        first.repetitionPenalty(),
        first.seed() + choice,
        first.adjustments());
  }
}
