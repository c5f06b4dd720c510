package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.coordinator.text.Tokenizer;
import org.junit.jupiter.api.Test;

final class StructuredOutputTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void writesOnlyObjectsAsJsonObject() throws Exception {
    JsonNode format = JSON.readTree("{\"type\": \"json_object\"}");
    for (Tokenizer tokenizer : Vocabularies.all()) {
      OutputGrammar grammar = new StructuredOutput(tokenizer).responseFormat(format).orElseThrow();
      for (int seed = 0; seed < 50; seed++) {
        String text =
            new Writer(tokenizer, seed).write(grammar.constraint(tokenizer.vocabulary().eosIds()));
        assertThat(JSON.readTree(text).isObject()).as(text).isTrue();
      }
    }
  }
}
