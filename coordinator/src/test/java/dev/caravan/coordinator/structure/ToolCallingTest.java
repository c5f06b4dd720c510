package dev.caravan.coordinator.structure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.structure.OutputDelta.CallArguments;
import dev.caravan.coordinator.structure.OutputDelta.CallStart;
import dev.caravan.coordinator.structure.OutputDelta.Content;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ToolCallingTest {
  private static final JsonNode TOOLS =
      Schemas.parse(
          """
          [{'type':'function','function':{'name':'get_weather','parameters':{'type':'object',
             'properties':{'town':{'type':'string','maxLength':20},'days':{'type':'integer'}},
             'required':['town'],'additionalProperties':false}}},
           {'type':'function','function':{'name':'now'}}]
          """);
  private static final JsonNode NOW =
      Schemas.parse("{'type':'function','function':{'name':'now'}}");
  private static final JsonNode AUTO = MissingNode.getInstance();
  private static final JsonNode REQUIRED = new TextNode("required");

  @Test
  void writesOnlyCallsThatFitTheToolsIfOneIsRequired() {
    Set<String> called = new HashSet<>();
    for (Tokenizer tokenizer : Vocabularies.all()) {
      ToolCalling calling = calling(tokenizer, REQUIRED, true);
      for (int seed = 0; seed < 30; seed++) {
        String text = write(tokenizer, calling, seed);
        for (Call call : calls(calling, text, seed)) {
          called.add(call.name);
          JsonNode schema =
              call.name.equals("now")
                  ? Schemas.parse("{'type':'object','maxProperties':0}")
                  : TOOLS.get(0).path("function").path("parameters");
          assertThat(Schemas.judge(schema, call.arguments.toString())).as(text).isEmpty();
          assertThat(text).contains(call.arguments);
        }
      }
    }
    assertThat(called).containsExactlyInAnyOrder("get_weather", "now");
  }

  @Test
  void writesOneCallIfNotSeveralAreWanted() {
    Tokenizer tokenizer = Vocabularies.sentencePiece();
    assertThat(mostCalls(tokenizer, calling(tokenizer, REQUIRED, false))).isEqualTo(1);
    assertThat(mostCalls(tokenizer, calling(tokenizer, REQUIRED, true))).isBetween(2, 8);
  }

  @Test
  void callsTheNamedToolAlone() {
    Tokenizer tokenizer = Vocabularies.byteLevel();
    ToolCalling calling = calling(tokenizer, NOW, true);
    for (int seed = 0; seed < 20; seed++) {
      assertThat(write(tokenizer, calling, seed).strip())
          .matches("\\{\"name\": ?\"now\", ?\"parameters\": ?\\{}}");
    }
  }

  @Test
  void leavesTextFreeUntilItOpensACall() {
    Tokenizer tokenizer = Vocabularies.byteLevel();
    ToolCalling calling = calling(tokenizer, AUTO, false);
    Set<Integer> endIds = tokenizer.vocabulary().eosIds();

    TokenConstraint text = calling.constraint(endIds);
    text.accept(id(tokenizer, " "));
    assertThat(text.allowed().cardinality()).isGreaterThan(tokenizer.vocabulary().size() - 5);
    assertThat(text.allowed().get(id(tokenizer, "}}"))).isTrue();
    text.accept(id(tokenizer, "a"));
    text.accept(id(tokenizer, "{"));
    assertThat(text.allowed().cardinality()).isEqualTo(tokenizer.vocabulary().size());

    TokenConstraint call = calling.constraint(endIds);
    int pythonTag = tokenizer.vocabulary().size() - 1;
    assertThat(call.allowed().get(pythonTag)).isTrue();
    call.accept(pythonTag);
    call.accept(id(tokenizer, " "));
    call.accept(id(tokenizer, "{"));
    assertThat(call.allowed().stream().toArray()).containsExactly(id(tokenizer, "\""));
    assertThat(call.allowed().get(pythonTag)).isFalse();
  }

  @Test
  void opensNoCallWithATokenThatNoCallContains() {
    Tokenizer tokenizer = Vocabularies.sentencePiece();
    TokenConstraint constraint =
        calling(tokenizer, AUTO, false).constraint(tokenizer.vocabulary().eosIds());
    assertThat(constraint.allowed().get(id(tokenizer, "{\""))).isTrue();
    assertThat(constraint.allowed().get(id(tokenizer, "}, {"))).isTrue();
    assertThat(constraint.allowed().get(id(tokenizer, "{\"name\": \""))).isTrue();
    for (int id : constraint.allowed().stream().toArray()) {
      String text = new String(tokenizer.bytes(id), java.nio.charset.StandardCharsets.UTF_8);
      if (text.strip().startsWith("{")) {
        assertThat("{\"name\": \"").startsWith(text.strip());
      }
    }
  }

  @Test
  void streamsNameFirstThenArgumentsAsTheyAreWritten() {
    ToolCallParser parser = parser();
    assertThat(parser.accept(" {\"name\": \"get_")).isEmpty();
    assertThat(parser.accept("weather\"")).containsExactly(new CallStart(0, "c1", "get_weather"));
    assertThat(parser.accept(", \"parameters\":")).isEmpty();
    assertThat(parser.accept(" {\"town\": \"a}\\\"{"))
        .containsExactly(new CallArguments(0, "{\"town\": \"a}\\\"{"));
    assertThat(parser.accept("\"}}; {\"name\":\"now\",\"parameters\":{}}"))
        .containsExactly(
            new CallArguments(0, "\"}"), new CallStart(1, "c2", "now"), new CallArguments(1, "{}"));
    assertThat(parser.end()).isEmpty();
    assertThat(parser.hasCalls()).isTrue();
  }

  @Test
  void streamsTextAsItComes() {
    ToolCallParser parser = parser();
    assertThat(parser.accept("\n ")).isEmpty();
    assertThat(parser.accept("Hi {")).containsExactly(new Content("\n Hi {"));
    assertThat(parser.accept("\"name\": \"now\"}"))
        .containsExactly(new Content("\"name\": \"now\"}"));
    assertThat(parser.hasCalls()).isFalse();
    ToolCallParser blank = parser();
    blank.accept(" ");
    assertThat(blank.end()).containsExactly(new Content(" "));
  }

  @Test
  void offersNothingWithoutToolsOrIfToldNotTo() {
    StructuredOutput output = new StructuredOutput(Vocabularies.sentencePiece());
    assertThat(output.toolCalling(TOOLS, new TextNode("none"), true)).isEmpty();
    assertThat(output.toolCalling(AUTO, AUTO, true)).isEmpty();
    assertThat(output.toolCalling(Schemas.parse("[]"), Schemas.parse("null"), true)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | 'auto' | tools is not a list",
        "[] | 'required' | tool_choice is required, but tools is empty",
        "[{'type':'web'}] | 'auto' | tools[0].type is \"web\"",
        "[{'type':'function','function':{'name':'a b'}}] | 'auto' | tools[0].function.name is \"a b\"",
        "[{'type':'function','function':{'name':'a','parameters':{'properties':{'n':{'multipleOf':2}}}}}] | 'auto' | tools[0].function.parameters.properties.n.multipleOf is a keyword",
        "[{'type':'function','function':{'name':'a','parameters':{'type':'array'}}}] | 'auto' | tools[0].function.parameters is no schema of type object",
        "[{'type':'function','function':{'name':'a'}},{'type':'function','function':{'name':'a'}}] | 'auto' | tools[1].function.name",
        "[{'type':'function','function':{'name':'a'}}] | 'maybe' | tool_choice is \"maybe\"",
        "[{'type':'function','function':{'name':'a'}}] | {'type':'function','function':{'name':'b'}} | tool_choice names \"b\""
      },
      quoteCharacter = '~')
  void refusesWithThePlace(String tools, String choice, String message) {
    StructuredOutput output = new StructuredOutput(Vocabularies.sentencePiece());
    assertThatThrownBy(() -> output.toolCalling(Schemas.parse(tools), Schemas.parse(choice), true))
        .hasMessageStartingWith(message);
  }

  private record Call(String name, StringBuilder arguments) {}

  private static ToolCalling calling(Tokenizer tokenizer, JsonNode choice, boolean parallel) {
    return new StructuredOutput(tokenizer).toolCalling(TOOLS, choice, parallel).orElseThrow();
  }

  private static String write(Tokenizer tokenizer, ToolCalling calling, int seed) {
    return new Writer(tokenizer, seed).write(calling.constraint(tokenizer.vocabulary().eosIds()));
  }

  private static int mostCalls(Tokenizer tokenizer, ToolCalling calling) {
    int most = 0;
    for (int seed = 0; seed < 30; seed++) {
      most = Math.max(most, calls(calling, write(tokenizer, calling, seed), seed).size());
    }
    return most;
  }

  /** Reads a text in pieces of any length. */
  private static List<Call> calls(ToolCalling calling, String text, int seed) {
    ToolCallParser parser = calling.parser(() -> "id");
    Random random = new Random(seed);
    List<OutputDelta> deltas = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int to = Math.min(text.length(), from + 1 + random.nextInt(9));
      deltas.addAll(parser.accept(text.substring(from, to)));
      from = to;
    }
    deltas.addAll(parser.end());
    Map<Integer, Call> calls = new TreeMap<>();
    for (OutputDelta delta : deltas) {
      switch (delta) {
        case CallStart start ->
            calls.put(start.index(), new Call(start.name(), new StringBuilder()));
        case CallArguments arguments ->
            calls.get(arguments.index()).arguments.append(arguments.json());
        case Content content -> throw new AssertionError("text beside calls: " + content);
      }
    }
    return List.copyOf(calls.values());
  }

  private static ToolCallParser parser() {
    int[] count = {0};
    return new ToolCallParser(() -> {
      count[0]++;
      return "c" + count[0];
    });
  }

  private static int id(Tokenizer tokenizer, String text) {
    byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    for (int id = 0; id < tokenizer.vocabulary().size(); id++) {
      if (java.util.Arrays.equals(tokenizer.bytes(id), bytes)) {
        return id;
      }
    }
    throw new AssertionError("no token " + text);
  }
}
