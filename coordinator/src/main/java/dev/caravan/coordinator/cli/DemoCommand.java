package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.generate.Generation;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.vocabulary.Vocabulary;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells a story with the embedded model on a cluster of worker JVMs. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = "Tells a story with the embedded model, then shows the cluster that told it.")
final class DemoCommand implements Callable<Integer> {
  private static final int DEFAULT_WORKERS = 3;
  private static final double TEMPERATURE = 0.7;
  private static final double TOP_P = 0.9;

  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(names = "--prompt", paramLabel = "T", description = "how the story begins")
  private String prompt = "Once upon a time";

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "most tokens of the story (default: ${DEFAULT-VALUE})")
  private int maxTokens = 240;

  @Option(names = "--seed", description = "another seed, another story (default: ${DEFAULT-VALUE})")
  private long seed = 7;

  @Override
  public Integer call() {
    cluster.defaultWorkers(DEFAULT_WORKERS);
    Output out = new Output();
    if (!output.isJson()) {
      System.err.printf(
          "Caravan: 1 coordinator and %d worker JVMs, tensor parallel over gRPC%n%n",
          cluster.grid());
    }
    try (DemoModel model = DemoModel.write();
        Session session = Session.open(model.file(), cluster, output)) {
      tell(out, session);
    }
    return 0;
  }

  private void tell(Output out, Session session) {
    int[] ids = Prompts.encode(session.tokenizer(), prompt);
    session.check(ids, 1, "the prompt");
    session.start();
    Set<Integer> endIds = session.vocabulary().map(Vocabulary::eosIds).orElse(Set.of());
    TextStream text = new TextStream(session.vocabulary(), output.isJson() ? null : out);
    Generation generation =
        new Generation(
            new Generation.Request(
                ids,
                maxTokens,
                session.contextLength(),
                endIds,
                new SamplingParameters(TEMPERATURE, 0, TOP_P, 0, 1, seed)),
            text::accept,
            System::nanoTime);
    if (!output.isJson()) {
      out.piece(prompt);
    }
    session.loop().run(generation.sequence());
    text.end();
    if (output.isJson()) {
      json(out, session, generation, text);
    } else {
      text(out, session, generation);
    }
  }

  private static void text(Output out, Session session, Generation generation) {
    LlamaConfig config = session.checkpoint().config();
    out.line("");
    out.line(
        "  %d layers, hidden size %d, %d query heads, %d KV heads, FFN %d, vocabulary %d"
            .formatted(
                config.layers(),
                config.hiddenSize(),
                config.heads(),
                config.kvHeads(),
                config.intermediateSize(),
                config.vocabSize()));
    out.line("");
    Table table =
        new Table(
            "rank",
            "stage",
            "KV heads",
            "query heads",
            "FFN columns",
            "layers",
            "memory",
            "process");
    for (int i = 0; i < session.cluster().plan().shards().size(); i++) {
      Shard shard = session.cluster().plan().shards().get(i);
      WorkerMemory memory = session.cluster().memory().get(i);
      table.row(
          shard.rank(),
          shard.stage(),
          shard.kvHeads(),
          shard.heads(),
          shard.ffnColumns(),
          shard.layers(),
          Sizes.bytes(memory.weightBytes() + memory.kvBytes()),
          memory.member().processId());
    }
    table.print(out);
    out.line("");
    out.line(
        String.format(
            Locale.ROOT,
            "  first token after %.0f ms, then %.1f tokens/s, %.1f kB exchanged per token; loaded in %.1f s",
            generation.timeToFirstTokenMillis(),
            generation.decodeTokensPerSecond(),
            session.syncBytesPerToken() / 1e3,
            session.loadSeconds()));
  }

  private static void json(Output out, Session session, Generation generation, TextStream text) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("text", text.text());
    line.put("finish_reason", generation.finishReason().name().toLowerCase(Locale.ROOT));
    line.put("workers", session.cluster().plan().shards().size());
    line.put("load_seconds", session.loadSeconds());
    line.put("ttft_ms", generation.timeToFirstTokenMillis());
    line.put("decode_tokens_per_second", generation.decodeTokensPerSecond());
    line.put("sync_bytes_per_token", session.syncBytesPerToken());
    out.json(line);
  }
}
