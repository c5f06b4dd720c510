package dev.caravan.bench.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Logits as a golden file keeps them: all of them, or of a big vocabulary a few hundred. */
final class GoldenLogits {
  private static final int SAMPLE_STRIDE = 1009;

  private final List<Integer> ids = new ArrayList<>();
  private final List<Double> values = new ArrayList<>();

  GoldenLogits(JsonNode json) {
    if (json.has("full")) {
      add(json.get("full"), 1);
      return;
    }
    add(json.get("first64"), 1);
    add(json.get("every_1009th"), SAMPLE_STRIDE);
    for (int i = 0; i < json.get("top20_ids").size(); i++) {
      ids.add(json.get("top20_ids").get(i).asInt());
      values.add(json.get("top20_logits").get(i).asDouble());
    }
  }

  /** Returns the length of the difference relative to the golden vector's. */
  double relativeDistance(float[] logits) {
    double difference = 0;
    double squares = 0;
    for (int i = 0; i < ids.size(); i++) {
      double golden = values.get(i);
      double distance = logits[ids.get(i)] - golden;
      difference += distance * distance;
      squares += golden * golden;
    }
    return Math.sqrt(difference / squares);
  }

  private void add(JsonNode sample, int stride) {
    for (int i = 0; i < sample.size(); i++) {
      ids.add(i * stride);
      values.add(sample.get(i).asDouble());
    }
  }
}
