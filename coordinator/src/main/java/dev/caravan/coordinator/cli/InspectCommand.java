package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows what a checkpoint holds. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Shows geometry, tensors, types, sizes and vocabulary of a checkpoint.")
final class InspectCommand implements Callable<Integer> {
  @Mixin private OutputOptions output = new OutputOptions();

  @Parameters(paramLabel = "PATH", description = "a GGUF file or a Hugging Face directory")
  private Path path = Path.of("");

  @Override
  public Integer call() {
    Output out = new Output();
    try (Checkpoint checkpoint = Checkpoints.open(path)) {
      if (output.isJson()) {
        out.json(json(checkpoint));
      } else {
        text(out, checkpoint);
      }
    }
    return 0;
  }

  private static Map<String, Object> json(Checkpoint checkpoint) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("path", checkpoint.path().toString());
    line.put("format", checkpoint.format());
    line.put("fingerprint", checkpoint.fingerprint());
    line.put("geometry", geometry(checkpoint.config()));
    checkpoint.vocabulary().ifPresent(vocabulary -> line.put("vocabulary", vocabulary(vocabulary)));
    line.put("bytes", totalBytes(checkpoint));
    List<Map<String, Object>> tensors = new ArrayList<>();
    for (TensorEntry tensor : checkpoint.tensors()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", tensor.name());
      entry.put("type", tensor.dtype().name());
      entry.put("rows", tensor.rows());
      entry.put("columns", tensor.columns());
      entry.put("bytes", tensor.data().byteSize());
      tensors.add(entry);
    }
    line.put("tensors", tensors);
    return line;
  }

  private static void text(Output out, Checkpoint checkpoint) {
    out.line(checkpoint.path() + ": " + checkpoint.format());
    geometry(checkpoint.config()).forEach((name, value) -> out.line("  " + name + ": " + value));
    checkpoint
        .vocabulary()
        .ifPresentOrElse(
            vocabulary -> out.line("  vocabulary: " + vocabulary(vocabulary)),
            () -> out.line("  vocabulary: none, drive it with token ids"));
    out.line("  fingerprint: " + checkpoint.fingerprint());
    Map<String, long[]> types = new TreeMap<>();
    Table tensors = new Table("tensor", "type", "rows", "columns", "size");
    for (TensorEntry tensor : checkpoint.tensors()) {
      long[] sums = types.computeIfAbsent(tensor.dtype().name(), name -> new long[2]);
      sums[0]++;
      sums[1] += tensor.data().byteSize();
      tensors.row(
          tensor.name(),
          tensor.dtype(),
          tensor.rows(),
          tensor.columns(),
          Sizes.bytes(tensor.data().byteSize()));
    }
    out.line("");
    tensors.print(out);
    out.line("");
    types.forEach(
        (name, sums) -> out.line("  %d x %s: %s".formatted(sums[0], name, Sizes.bytes(sums[1]))));
    out.line("  all: " + Sizes.bytes(totalBytes(checkpoint)));
  }

  private static Map<String, Object> geometry(LlamaConfig config) {
    Map<String, Object> geometry = new LinkedHashMap<>();
    geometry.put("hidden_size", config.hiddenSize());
    geometry.put("intermediate_size", config.intermediateSize());
    geometry.put("layers", config.layers());
    geometry.put("heads", config.heads());
    geometry.put("kv_heads", config.kvHeads());
    geometry.put("head_dim", config.headDim());
    geometry.put("vocab_size", config.vocabSize());
    geometry.put("context_length", config.contextLength());
    geometry.put("rms_norm_eps", config.rmsNormEps());
    geometry.put("rope_theta", config.ropeTheta());
    geometry.put("rope_scaling", config.ropeScaling().getClass().getSimpleName());
    geometry.put("tied_embeddings", config.tiedEmbeddings());
    return geometry;
  }

  private static Map<String, Object> vocabulary(Vocabulary vocabulary) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("algorithm", vocabulary.algorithm().name());
    line.put("tokens", vocabulary.size());
    vocabulary.bosId().ifPresent(id -> line.put("bos_id", id));
    line.put("eos_ids", vocabulary.eosIds().stream().sorted().toList());
    line.put("chat_template", vocabulary.chatTemplate().isPresent());
    return line;
  }

  private static long totalBytes(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }
}
