package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever is written under a schema satisfies it, in the eyes of an independent validator. */
final class SchemaProperties {
  private final List<Tokenizer> tokenizers = Vocabularies.all();
  private final List<StructuredOutput> outputs =
      tokenizers.stream().map(StructuredOutput::new).toList();

  @Property(tries = 200, seed = "20261122")
  void allThatIsWrittenSatisfiesTheSchema(@ForAll long seed) {
    JsonNode schema = new Schemas(new Random(seed)).root();
    ObjectNode format = Schemas.JSON.createObjectNode().put("type", "json_schema");
    format.putObject("json_schema").put("name", "any").set("schema", schema);
    for (int i = 0; i < tokenizers.size(); i++) {
      Set<Integer> endIds = tokenizers.get(i).vocabulary().eosIds();
      OutputGrammar grammar = outputs.get(i).responseFormat(format).orElseThrow();
      for (int round = 0; round < 3; round++) {
        String text = new Writer(tokenizers.get(i), seed + round).write(grammar.constraint(endIds));
        assertThat(Schemas.judge(schema, text)).as("%s%n%s", schema, text).isEmpty();
      }
    }
  }
}
