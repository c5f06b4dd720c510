package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.text.StreamingDecoder;
import java.util.List;

/**
 * A generation that is wanted as text.
 *
 * @param generation what to generate
 * @param decoder new, for this generation alone
 * @param stops texts that end it; none of them empty
 * @param countsPrompt false if another generation of the same request has the same prompt
 */
public record TextRequest(
    EngineRequest generation, StreamingDecoder decoder, List<String> stops, boolean countsPrompt) {

  public TextRequest {
    stops = List.copyOf(stops);
  }
}
