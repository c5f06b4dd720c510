package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.ApiException;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.structure.OutputGrammar;
import dev.caravan.coordinator.structure.ToolCalling;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The form that a chat's answer has to have.
 *
 * @param grammar of response_format, if it asks for one
 * @param tools that may be called, if there are any
 */
record ChatForm(Optional<OutputGrammar> grammar, Optional<ToolCalling> tools) {
  private static final List<String> FIELDS =
      List.of("response_format", "tool_choice", "tools", "parallel_tool_calls");

  /**
   * Reads response_format, tools, tool_choice and parallel_tool_calls.
   *
   * @throws ApiException status 400 that names the field
   */
  static ChatForm read(Fields fields, ServedModel model) {
    for (String name : List.of("functions", "function_call")) {
      if (fields.has(name)) {
        throw fields.invalid(name, "is not supported; use tools and tool_choice");
      }
    }
    boolean parallel = fields.flag("parallel_tool_calls", true);
    try {
      Optional<ToolCalling> tools =
          model.forms().toolCalling(fields.get("tools"), fields.get("tool_choice"), parallel);
      Optional<OutputGrammar> grammar = Optional.empty();
      if (fields.object("response_format").isPresent()) {
        grammar = model.forms().responseFormat(fields.get("response_format"));
      }
      if (tools.isPresent() && grammar.isPresent()) {
        throw fields.invalid("response_format", "does not go together with tools");
      }
      if (model.tokenizer().vocabulary().eosIds().isEmpty()
          && (tools.isPresent() || grammar.isPresent())) {
        throw fields.invalid(
            tools.isPresent() ? "tools" : "response_format", "the model has no end token");
      }
      return new ChatForm(grammar, tools);
    } catch (ClusterException e) {
      throw named(e);
    }
  }

  /** Returns what makes a choice's constraint of the ids that end it. */
  Optional<Function<Set<Integer>, TokenConstraint>> constraint() {
    return grammar
        .<Function<Set<Integer>, TokenConstraint>>map(form -> form::constraint)
        .or(() -> tools.map(form -> form::constraint));
  }

  /** Makes a reader for each choice. */
  List<ChatReader> readers(int choices) {
    return Stream.generate(() -> new ChatReader(tools.map(each -> each.parser(ChatForm::callId))))
        .limit(choices)
        .toList();
  }

  private static String callId() {
    byte[] random = new byte[12];
    ThreadLocalRandom.current().nextBytes(random);
    return "call_" + HexFormat.of().formatHex(random);
  }

  /** Such errors begin with the place of what is wrong. */
  private static RuntimeException named(ClusterException error) {
    String message = String.valueOf(error.getMessage());
    if (error.code() != ErrorCode.INVALID_REQUEST) {
      return error;
    }
    return FIELDS.stream()
        .filter(message::startsWith)
        .findFirst()
        .<RuntimeException>map(name -> new ApiException(ApiError.ofParam(name, message), error))
        .orElse(error);
  }
}
