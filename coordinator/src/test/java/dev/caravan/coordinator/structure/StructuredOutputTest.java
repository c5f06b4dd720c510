package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class StructuredOutputTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Id of the byte 0 in the vocabulary with byte fallback. */
  private static final int FIRST_BYTE = 3;

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

  @Test
  void keepsSurrogatePairsAndCharactersWhole() {
    assertThat(canFollow("\"\\ud83d")).isEqualTo("\\");
    assertThat(canFollow("\"\\ud83d\\u")).isEqualTo("Dd");
    assertThat(canFollow("\"\\ud83d\\ud")).isEqualTo("CDEFcdef");
    assertThat(canFollow("\"\\ud")).isEqualTo("01234567" + "89ABab");
    assertThat(canFollow("\"\u65e5").contains("\"")).isTrue();
    assertThat(canFollow("{'type':'string'}", "\"\u65e5", 1).contains("\"")).isFalse();
  }

  @Test
  void givesOtherPropertiesNoNameThatTheSchemaNames() {
    String schema =
        "{'properties':{'ab':{'type':'integer'}},'additionalProperties':{'type':'null'}}";
    assertThat(canFollow(schema, "{\"ab\":", 0)).isEqualTo(" -0123456789");
    assertThat(canFollow(schema, "{\"ac\":", 0)).isEqualTo(" n");
    assertThat(canFollow(schema, "{\"abc\":", 0)).isEqualTo(" n");
    assertThat(canFollow(schema, "{\"a\":", 0)).isEqualTo(" n");
    assertThat(canFollow(schema, "{\"ab\":1,\"ab", 0)).doesNotContain("\"").contains("c");
  }

  private static String canFollow(String beginning) {
    return canFollow("{'type':'string'}", beginning, 0);
  }

  /** Single bytes, as characters, that may follow a beginning without its last bytes. */
  private static String canFollow(String schema, String beginning, int bytesCut) {
    Tokenizer tokenizer = Vocabularies.sentencePiece();
    TokenConstraint constraint =
        new StructuredOutput(tokenizer)
            .responseFormat(
                Schemas.parse("{'type':'json_schema','json_schema':{'schema':" + schema + "}}"))
            .orElseThrow()
            .constraint(tokenizer.vocabulary().eosIds());
    byte[] bytes = beginning.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < bytes.length - bytesCut; i++) {
      constraint.accept(FIRST_BYTE + (bytes[i] & 0xFF));
    }
    StringBuilder characters = new StringBuilder();
    for (int value = 0; value < 256; value++) {
      if (constraint.allowed().get(FIRST_BYTE + value)) {
        characters.append((char) value);
      }
    }
    return characters.toString();
  }
}
