package dev.caravan.bench.cli;

import dev.caravan.bench.synth.Geometry;
import dev.caravan.bench.synth.SyntheticModel;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.coordinator.cli.Progress;
import dev.caravan.coordinator.cli.Sizes;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model of random weights. */
@Command(
    name = "synth",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a GGUF file of random weights at the true shapes of a Llama.",
      "It talks nonsense as fast as the real one talks sense."
    })
final class SynthCommand implements Callable<Integer> {
  /** Room for the header, most of it vocabulary. */
  private static final long HEADER_BYTES = 32L << 20;

  @Option(
      names = "--geometry",
      required = true,
      paramLabel = "NAME",
      converter = GeometryConverter.class,
      description = {
        "llama-3.2-1b, llama-3.2-3b, llama-3.1-8b, llama-3.1-70b, llama-3.1-405b,",
        "llama-2-7b, llama-2-13b or llama-2-70b"
      })
  private Geometry geometry = Geometry.LLAMA_3_2_1B;

  @Option(names = "--layers", paramLabel = "L", description = "only the first L layers")
  private @Nullable Integer layers;

  @Option(
      names = "--vocab",
      paramLabel = "N",
      description = "tokens, at least 512 (default: as many as the model has)")
  private @Nullable Integer vocab;

  @Option(
      names = "--type",
      required = true,
      paramLabel = "TYPE",
      description = "of all matrices: q4_0, q8_0, q4_k, q6_k, bf16, f16 or f32; norms are f32")
  private DType type = DType.Q4_0;

  @Option(names = "--seed", description = "same seed, same bytes (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "to write")
  private Path out = Path.of("");

  @Mixin private OutputOptions output = new OutputOptions();

  /** Says which names there are. */
  static final class GeometryConverter implements ITypeConverter<Geometry> {
    @Override
    public Geometry convert(String label) {
      return Geometry.parse(label);
    }
  }

  @Override
  public Integer call() {
    SyntheticModel model = model();
    checkPlace(model);
    long start = System.nanoTime();
    write(model);
    report(model, (System.nanoTime() - start) / 1e9);
    return 0;
  }

  private SyntheticModel model() {
    if (type == DType.Q5_K) {
      throw invalid("--type q5_k is not supported; use q4_0, q8_0, q4_k, q6_k, bf16, f16 or f32");
    }
    try {
      return new SyntheticModel(
          geometry,
          geometry.config(
              layers == null ? geometry.config().layers() : layers,
              vocab == null ? geometry.config().vocabSize() : vocab),
          type,
          seed);
    } catch (IllegalArgumentException e) {
      throw new ClusterException(ErrorCode.INVALID_REQUEST, String.valueOf(e.getMessage()), e);
    }
  }

  /** Finds out what would fail before gigabytes are written. */
  private void checkPlace(SyntheticModel model) {
    if (Files.exists(out)) {
      throw invalid("--out %s exists already; remove it or write to another file".formatted(out));
    }
    Path directory = out.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw invalid("--out %s: there is no directory %s; make it first".formatted(out, directory));
    }
    if (!Files.isWritable(directory)) {
      throw invalid("--out %s: no permission to write to %s".formatted(out, directory));
    }
    long needed = model.tensorBytes() + HEADER_BYTES;
    try {
      long free = Files.getFileStore(directory).getUsableSpace();
      if (free < needed) {
        throw invalid(
            "--out %s: the model takes %s and %s has %s free; use fewer --layers, a smaller --type or another disk"
                .formatted(out, Sizes.bytes(needed), directory, Sizes.bytes(free)));
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private void write(SyntheticModel model) {
    AtomicLong written = new AtomicLong();
    long total = model.tensorBytes();
    int threads = Runtime.getRuntime().availableProcessors();
    try (Progress progress = new Progress("writing")) {
      model.write(out, threads, bytes -> progress.loaded(written.addAndGet(bytes), total));
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private void report(SyntheticModel model, double seconds) {
    Output lines = new Output();
    long bytes;
    try {
      bytes = Files.size(out);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
    if (output.isJson()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("file", out.toString());
      line.put("geometry", geometry.toString());
      line.put("layers", model.config().layers());
      line.put("vocab_size", model.config().vocabSize());
      line.put("type", type.name());
      line.put("seed", seed);
      line.put("parameters", model.parameters());
      line.put("bytes", bytes);
      line.put("seconds", seconds);
      lines.json(line);
    } else {
      lines.line(
          String.format(
              Locale.ROOT,
              "%s: %s in %s, %d layers, vocabulary %d, %,d parameters, %s, written in %.1f s",
              out,
              geometry,
              type,
              model.config().layers(),
              model.config().vocabSize(),
              model.parameters(),
              Sizes.bytes(bytes),
              seconds));
    }
  }

  private ClusterException cannotWrite(IOException cause) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "cannot write %s: %s; nothing is left of it".formatted(out, cause.getMessage()),
        cause);
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
