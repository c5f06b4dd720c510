package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.SequenceChunk;
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

/** Prints the logits after the last of some ids. */
@Command(
    name = "logits",
    mixinStandardHelpOptions = true,
    description = "Prints the logits after the last position of each list of token ids.")
final class LogitsCommand implements Callable<Integer> {
  private static final int SHOWN = 8;

  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private IdsInput input = new IdsInput();

  /** Where the ids come from. */
  static final class IdsInput {
    @Option(names = "--ids", paramLabel = "1,2,3", description = "token ids")
    @Nullable String ids;

    @Option(
        names = "--ids-file",
        paramLabel = "F",
        description = "a JSON array of arrays of token ids")
    @Nullable Path file;

    List<int[]> read() {
      if (ids != null) {
        return List.of(IdsFiles.parseIds(ids));
      }
      return file == null ? List.of() : IdsFiles.readIds(file);
    }
  }

  @Override
  public Integer call() {
    Output out = new Output();
    List<int[]> cases = input.read();
    try (Session session = Session.open(model.model, cluster, output)) {
      for (int i = 0; i < cases.size(); i++) {
        session.check(cases.get(i), 1, "case " + i);
      }
      session.start();
      for (int i = 0; i < cases.size(); i++) {
        print(out, i, logits(session, cases.get(i)));
      }
    }
    return 0;
  }

  private static float[] logits(Session session, int[] ids) {
    float[][] result = new float[1][];
    session
        .loop()
        .run(
            new Sequence(
                ids,
                SequenceChunk.Logits.LAST,
                (position, logits) -> {
                  result[0] = logits;
                  return Sequence.LogitsConsumer.END;
                }));
    return result[0];
  }

  private void print(Output out, int index, float[] logits) {
    if (output.isJson()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", index);
      line.put("logits", logits);
      out.json(line);
      return;
    }
    out.line("case %d: %d logits, highest first".formatted(index, logits.length));
    boolean[] shown = new boolean[logits.length];
    for (int rank = 0; rank < Math.min(SHOWN, logits.length); rank++) {
      int best = -1;
      for (int id = 0; id < logits.length; id++) {
        if (!shown[id] && (best < 0 || logits[id] > logits[best])) {
          best = id;
        }
      }
      shown[best] = true;
      out.line("  id %6d  %10.5f".formatted(best, logits[best]));
    }
  }
}
