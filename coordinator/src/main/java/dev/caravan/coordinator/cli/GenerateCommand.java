package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.generate.Generation;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a prompt. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = "Continues a prompt; the text appears as it is generated.")
final class GenerateCommand implements Callable<Integer> {
  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Prompt prompt = new Prompt();

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "most tokens to generate (default: ${DEFAULT-VALUE})")
  private int maxTokens = 64;

  @Option(
      names = "--temperature",
      description = "0 takes the likeliest token, always (default: ${DEFAULT-VALUE})")
  private double temperature;

  @Option(names = "--top-k", description = "keep the K likeliest tokens; 0 keeps all")
  private int topK;

  @Option(names = "--top-p", description = "keep the likeliest tokens up to this probability")
  private double topP = 1;

  @Option(
      names = "--min-p",
      description = "keep tokens with this share of the best one's probability")
  private double minP;

  @Option(names = "--repeat-penalty", description = "over 1 makes tokens that occurred less likely")
  private double repeatPenalty = 1;

  @Option(names = "--seed", description = "same seed, same text (default: a random one)")
  private @Nullable Long seed;

  @Option(names = "--ignore-eos", description = "go on after an end token")
  private boolean ignoreEos;

  /** What to continue. */
  static final class Prompt {
    @Option(names = "--prompt", paramLabel = "T", description = "a text; the begin token is added")
    @Nullable String text;

    @Option(names = "--ids", paramLabel = "1,2,3", description = "token ids, used as they are")
    @Nullable String ids;
  }

  @Override
  public Integer call() {
    if (maxTokens < 1) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "--max-tokens %d is not positive".formatted(maxTokens));
    }
    SamplingParameters sampling =
        new SamplingParameters(temperature, topK, topP, minP, repeatPenalty, seedOrRandom());
    Output out = new Output();
    try (Session session = Session.open(model.model, cluster, output)) {
      int[] ids = promptIds(session);
      session.check(ids, 1, "the prompt");
      session.start();
      TextStream text = new TextStream(session.vocabulary(), output.isJson() ? null : out);
      Generation generation =
          new Generation(
              new Generation.Request(
                  ids,
                  maxTokens,
                  session.contextLength(),
                  ignoreEos ? Set.of() : endIds(session),
                  sampling),
              text::accept,
              System::nanoTime);
      session.loop().run(generation.sequence());
      text.end();
      report(out, session, ids, generation, text);
      if (output.verbose) {
        StepTimesReport.print(session.loop().times(), System.err);
      }
    }
    return 0;
  }

  private int[] promptIds(Session session) {
    if (prompt.ids != null) {
      return IdsFiles.parseIds(prompt.ids);
    }
    return Prompts.encode(session.tokenizer(), prompt.text == null ? "" : prompt.text);
  }

  private static Set<Integer> endIds(Session session) {
    Optional<Vocabulary> vocabulary = session.checkpoint().vocabulary();
    return vocabulary.map(Vocabulary::eosIds).orElse(Set.of());
  }

  private long seedOrRandom() {
    return seed == null ? ThreadLocalRandom.current().nextLong() : seed;
  }

  private void report(
      Output out, Session session, int[] ids, Generation generation, TextStream text) {
    double syncBytesPerToken = session.syncBytesPerToken();
    if (!output.isJson()) {
      System.err.printf(
          Locale.ROOT,
          "%n%d tokens, first after %.0f ms, then %.1f tokens/s; prompt at %.1f tokens/s; %.1f kB between workers per token%n",
          generation.outputIds().length,
          generation.timeToFirstTokenMillis(),
          generation.decodeTokensPerSecond(),
          generation.prefillTokensPerSecond(),
          syncBytesPerToken / 1e3);
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("prompt_ids", ids);
    line.put("output_ids", generation.outputIds());
    line.put("text", text.text());
    line.put("finish_reason", generation.finishReason().name().toLowerCase(Locale.ROOT));
    line.put("load_seconds", session.loadSeconds());
    line.put("ttft_ms", generation.timeToFirstTokenMillis());
    line.put("prefill_tokens_per_second", generation.prefillTokensPerSecond());
    line.put("decode_tokens_per_second", generation.decodeTokensPerSecond());
    line.put("sync_bytes_per_token", syncBytesPerToken);
    out.json(line);
  }
}
