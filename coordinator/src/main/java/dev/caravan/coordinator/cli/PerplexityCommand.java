package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.generate.PerplexityScore;
import dev.caravan.coordinator.text.Prompts;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well a model predicts a text. */
@Command(
    name = "perplexity",
    mixinStandardHelpOptions = true,
    description = "Measures how well the model predicts a text, in one pass from position 0.")
final class PerplexityCommand implements Callable<Integer> {
  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Input input = new Input();

  /** Where the tokens come from. */
  static final class Input {
    @Option(
        names = "--text-file",
        paramLabel = "F",
        description = "a UTF-8 text; the model's begin token is put before it")
    @Nullable Path textFile;

    @Option(
        names = "--ids-file",
        paramLabel = "F",
        description = "a JSON array of arrays of token ids, used as they are")
    @Nullable Path idsFile;
  }

  @Override
  public Integer call() {
    Output out = new Output();
    try (Session session = Session.open(model.model, cluster, output)) {
      List<int[]> cases = cases(session);
      for (int i = 0; i < cases.size(); i++) {
        session.check(cases.get(i), 2, "case " + i);
      }
      session.start();
      for (int i = 0; i < cases.size(); i++) {
        PerplexityScore score = new PerplexityScore(cases.get(i));
        session.loop().run(score.sequence());
        print(out, i, cases.get(i).length, score);
      }
    }
    return 0;
  }

  private List<int[]> cases(Session session) {
    if (input.idsFile != null) {
      return IdsFiles.readIds(input.idsFile);
    }
    if (input.textFile == null) {
      return List.of();
    }
    return List.of(Prompts.encode(session.tokenizer(), IdsFiles.readText(input.textFile)));
  }

  private void print(Output out, int index, int tokens, PerplexityScore score) {
    if (output.isJson()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", index);
      line.put("tokens", tokens);
      line.put("mean_nll", score.meanNll());
      line.put("perplexity", score.perplexity());
      out.json(line);
    } else {
      out.line(
          "case %d: %d tokens, mean NLL %.6f, perplexity %.6f"
              .formatted(index, tokens, score.meanNll(), score.perplexity()));
    }
  }
}
