package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.text.chat.ChatInput;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the prompts that a chat template makes of conversations. */
@Command(
    name = "apply-template",
    mixinStandardHelpOptions = true,
    description = "Prints the prompts that a chat template makes of conversations.")
final class ApplyTemplateCommand implements Callable<Integer> {
  private static final String TODAY = "today";

  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Source source = new Source();

  @Option(
      names = "--input-file",
      required = true,
      paramLabel = "F",
      description =
          "a JSON array of objects: messages and, if wanted, tools, add_generation_prompt, "
              + "bos_token, eos_token, today (2026-07-26) and other variables")
  private Path inputFile = Path.of("");

  /** Where the template comes from. */
  static final class Source {
    @Option(
        names = "--model",
        paramLabel = "PATH",
        description = "a GGUF file or a Hugging Face directory")
    @Nullable Path model;

    @Option(names = "--template", paramLabel = "FILE", description = "a file of Jinja")
    @Nullable Path file;

    ChatTemplateSource open() {
      if (model != null) {
        return ChatTemplateSource.ofModel(model);
      }
      return ChatTemplateSource.ofFile(file == null ? Path.of("") : file);
    }
  }

  @Override
  public Integer call() {
    Output out = new Output();
    List<JsonNode> cases = ChatInputFile.read(inputFile);
    ChatTemplateSource opened = source.open();
    ChatTemplate template = ChatTemplate.parse(opened.text());
    for (int i = 0; i < cases.size(); i++) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", i);
      try {
        line.put("text", render(template, opened, cases.get(i)));
      } catch (ClusterException e) {
        line.put("error", e.getMessage());
      }
      print(out, line);
    }
    return 0;
  }

  private static String render(ChatTemplate template, ChatTemplateSource source, JsonNode input) {
    if (!(input instanceof ObjectNode object)) {
      throw invalid("the case is a JSON %s, not an object".formatted(input.getNodeType()));
    }
    ObjectNode variables = object.deepCopy();
    LocalDateTime now = time(variables.remove(TODAY));
    ChatInput chat = ChatInput.of(variables);
    for (Map.Entry<String, String> token : source.tokens().entrySet()) {
      chat = chat.withDefault(token.getKey(), token.getValue());
    }
    return template.render(chat, now);
  }

  private static LocalDateTime time(@Nullable JsonNode today) {
    if (today == null || today.isNull()) {
      return LocalDateTime.now();
    }
    try {
      return LocalDate.parse(today.asText()).atStartOfDay();
    } catch (DateTimeParseException e) {
      throw invalid("today is %s; give a date such as \"2026-07-26\"".formatted(today));
    }
  }

  private void print(Output out, Map<String, Object> line) {
    if (output.isJson()) {
      out.json(line);
    } else {
      Object text = line.get("text");
      out.line("case %s%s".formatted(line.get("case"), text == null ? " fails:" : ":"));
      out.line(String.valueOf(text == null ? line.get("error") : text));
    }
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
