package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.SpecialTokens;
import dev.caravan.coordinator.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the token ids of texts. */
@Command(
    name = "tokenize",
    mixinStandardHelpOptions = true,
    description = "Prints the token ids of texts; --model may also be a tokenizer file.")
final class TokenizeCommand implements Callable<Integer> {
  @Mixin private ModelOption model = new ModelOption();
  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Input input = new Input();

  @Option(names = "--plain", description = "treat the text of special tokens as ordinary text")
  private boolean plain;

  @Option(names = "--bos", description = "put the model's begin token first")
  private boolean bos;

  /** Where the texts come from. */
  static final class Input {
    @Option(names = "--text", paramLabel = "T", description = "a text")
    @Nullable String text;

    @Option(names = "--texts-file", paramLabel = "F", description = "a JSON array of strings")
    @Nullable Path file;

    List<String> read() {
      if (text != null) {
        return List.of(text);
      }
      return file == null ? List.of() : IdsFiles.readTexts(file);
    }
  }

  @Override
  public Integer call() {
    Output out = new Output();
    Tokenizer tokenizer = TokenizerSource.open(model.model);
    SpecialTokens special = plain ? SpecialTokens.PLAIN : SpecialTokens.PARSED;
    List<String> texts = input.read();
    for (int i = 0; i < texts.size(); i++) {
      int[] ids = tokenizer.encode(texts.get(i), special);
      if (bos) {
        ids = Prompts.withBegin(tokenizer.vocabulary().bosId(), ids);
      }
      print(out, i, ids);
    }
    return 0;
  }

  private void print(Output out, int index, int[] ids) {
    if (output.isJson()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", index);
      line.put("ids", ids);
      out.json(line);
    } else {
      out.line(Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(",")));
    }
  }
}
