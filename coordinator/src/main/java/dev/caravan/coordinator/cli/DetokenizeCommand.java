package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.text.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints the texts of token ids. */
@Command(
    name = "detokenize",
    mixinStandardHelpOptions = true,
    description = "Prints the texts of token ids; --model may also be a tokenizer file.")
final class DetokenizeCommand implements Callable<Integer> {
  @Mixin private ModelOption model = new ModelOption();
  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private LogitsCommand.IdsInput input = new LogitsCommand.IdsInput();

  @Override
  public Integer call() {
    Output out = new Output();
    Tokenizer tokenizer = TokenizerSource.open(model.model);
    List<int[]> cases = input.read();
    for (int i = 0; i < cases.size(); i++) {
      String text = tokenizer.decode(cases.get(i));
      if (output.isJson()) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("case", i);
        line.put("text", text);
        out.json(line);
      } else {
        out.line(text);
      }
    }
    return 0;
  }
}
