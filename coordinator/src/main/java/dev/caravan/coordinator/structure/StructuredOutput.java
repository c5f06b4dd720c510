package dev.caravan.coordinator.structure;

import static dev.caravan.coordinator.structure.grammar.Node.sequence;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.caravan.coordinator.structure.grammar.Automaton;
import dev.caravan.coordinator.structure.grammar.FreeTextConstraint;
import dev.caravan.coordinator.structure.grammar.Node;
import dev.caravan.coordinator.structure.grammar.TokenTrie;
import dev.caravan.coordinator.structure.schema.JsonText;
import dev.caravan.coordinator.structure.schema.SchemaCompiler;
import dev.caravan.coordinator.structure.schema.SchemaPlace;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The forms of answers that requests to one model ask for. Thread-safe; make one for each model,
 * since it sorts the whole vocabulary.
 */
public final class StructuredOutput {
  private static final String RESPONSE_FORMAT = "response_format";
  private static final int REMEMBERED = 16;

  private final Tokenizer tokenizer;
  private final TokenTrie tokens;
  private final BitSet notOpeningCall;

  private final RecentForms<OutputGrammar> grammars = new RecentForms<>(REMEMBERED);
  private final RecentForms<ToolCalling> calls = new RecentForms<>(REMEMBERED);

  public StructuredOutput(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.tokens = TokenTrie.of(tokenizer);
    this.notOpeningCall = FreeTextConstraint.notOpening(tokenizer, ToolCalling.OPENING);
  }

  /**
   * Returns the form that a response_format of OpenAI's API asks for; nothing for type text.
   *
   * <p>json_object is any JSON object. json_schema is compiled by {@link SchemaCompiler} and always
   * enforced, strict or not.
   *
   * @throws ClusterException INVALID_REQUEST whose message starts with the place of what is wrong
   *     or not supported, such as response_format.json_schema.schema.properties.age.multipleOf
   */
  public Optional<OutputGrammar> responseFormat(JsonNode responseFormat) {
    String type = responseFormat.path("type").asText();
    return switch (type) {
      case "text" -> Optional.empty();
      case "json_object" -> Optional.of(grammar(responseFormat, JsonText::object));
      case "json_schema" -> {
        JsonNode schema = responseFormat.path("json_schema").path("schema");
        SchemaPlace place = SchemaPlace.of(RESPONSE_FORMAT + ".json_schema.schema");
        if (schema.isMissingNode()) {
          throw new ClusterException(ErrorCode.INVALID_REQUEST, place + " is missing");
        }
        yield Optional.of(grammar(schema, () -> SchemaCompiler.compile(schema, place)));
      }
      default ->
          throw new ClusterException(
              ErrorCode.INVALID_REQUEST,
              "%s.type is %.40s; it has to be text, json_object or json_schema"
                  .formatted(RESPONSE_FORMAT, responseFormat.path("type")));
    };
  }

  /**
   * Returns the calls that a request may be answered with; nothing if it offers no tools or its
   * choice is none.
   *
   * <p>With choice auto the answer is free, but if its first character is an opening brace it is a
   * call. A function without parameters takes none.
   *
   * @param tools of OpenAI's API; a missing node or null for none
   * @param choice tool_choice; a missing node or null for auto
   * @param parallel parallel_tool_calls: several calls in one answer are possible
   * @throws ClusterException INVALID_REQUEST whose message starts with the place of what is wrong
   *     or not supported, such as tools[0].function.parameters.properties.n.multipleOf
   */
  public Optional<ToolCalling> toolCalling(JsonNode tools, JsonNode choice, boolean parallel) {
    JsonNode key = JsonNodeFactory.instance.arrayNode().add(tools).add(choice).add(parallel);
    Optional<ToolCalling> known = calls.get(key);
    if (known.isPresent()) {
      return known;
    }
    Optional<ToolCalling> calling = ToolRequest.of(tools, choice, parallel).map(this::toolCalling);
    calling.ifPresent(each -> calls.put(key, each));
    return calling;
  }

  private ToolCalling toolCalling(ToolRequest request) {
    Automaton automaton = new Automaton(request.grammar(), tokens);
    if (!automaton.isSatisfiable()) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "tools: no arguments that could be written fit the parameters");
    }
    return new ToolCalling(automaton, tokenizer, notOpeningCall, request.forced());
  }

  private OutputGrammar grammar(JsonNode key, Supplier<Node> root) {
    Optional<OutputGrammar> known = grammars.get(key);
    if (known.isPresent()) {
      return known.get();
    }
    // Llama 2 writes a space before its first word, and its decoder takes it off again.
    OutputGrammar grammar =
        new OutputGrammar(sequence(JsonText.space(), root.get()), tokens, tokenizer);
    if (!grammar.isSatisfiable()) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "%s: no JSON text that could be written satisfies it".formatted(RESPONSE_FORMAT));
    }
    grammars.put(key, grammar);
    return grammar;
  }
}
