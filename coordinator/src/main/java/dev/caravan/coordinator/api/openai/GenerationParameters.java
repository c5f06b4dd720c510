package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.sample.SamplingParameters;
import java.util.List;

/**
 * What chats and completions have in common.
 *
 * @param sampling of the first choice; its seed is raised by one for each further one
 * @param choices of each prompt
 * @param ignoreEos true: a choice goes on after the model's end tokens
 * @param stops texts that end a choice
 * @param stream true: the answer comes in parts
 * @param streamUsage true: the last part of a stream says what it cost
 */
record GenerationParameters(
    SamplingParameters sampling,
    int choices,
    boolean ignoreEos,
    List<String> stops,
    boolean stream,
    boolean streamUsage) {

  GenerationParameters {
    stops = List.copyOf(stops);
  }
}
