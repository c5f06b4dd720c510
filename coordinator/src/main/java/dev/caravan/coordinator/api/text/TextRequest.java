package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.text.StreamingDecoder;
import java.util.List;

/**
 * A generation that is wanted as text.
 *
 * @param generation what to generate
 * @param decoder new, for this generation alone
 * @param stops texts that end it; at most {@link #MAX_STOPS} of 1 to {@link #MAX_STOP_CHARS}
 *     characters
 * @param countsPrompt false if another generation of the same request has the same prompt
 */
public record TextRequest(
    EngineRequest generation, StreamingDecoder decoder, List<String> stops, boolean countsPrompt) {

  public static final int MAX_STOPS = 4;
  public static final int MAX_STOP_CHARS = 1024;

  public TextRequest {
    stops = List.copyOf(stops);
  }
}
