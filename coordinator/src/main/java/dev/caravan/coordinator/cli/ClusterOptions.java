package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.rpc.ClusterSettings;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.net.Addresses;
import dev.caravan.model.step.RuntimeSettings;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the cluster is put together and how it computes. */
public final class ClusterOptions {
  private static final int STEP_DEADLINE_MILLIS = 120_000;
  private static final long MAX_FRAME_BYTES = 60L << 20;

  /** Below this, plain loops have answered before the JIT has compiled the vector kernels. */
  private static final long SMALL_SHARD_BYTES = 8L << 20;

  /** What --kernels takes. */
  enum KernelChoice {
    auto,
    simd,
    scalar
  }

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "tensor-parallel ranks, each a local worker JVM (default: 2; demo: 3)")
  private @Nullable Integer workers;

  @Option(
      names = "--stages",
      paramLabel = "S",
      description = "pipeline stages; N x S workers (default: ${DEFAULT-VALUE})")
  int stages = 1;

  @Option(
      names = "--threads",
      paramLabel = "T",
      description = "compute threads per worker (default: cores / workers, at least 1)")
  private @Nullable Integer threads;

  @Option(
      names = "--kernels",
      description =
          "auto, simd or scalar, all with the same results (default: auto: simd unless tiny)")
  KernelChoice kernels = KernelChoice.auto;

  @Option(
      names = "--activations",
      description = "auto, f32 or int8 (default: auto: int8 for quantised weights)")
  RuntimeSettings.Activations activations = RuntimeSettings.Activations.AUTO;

  @Option(names = "--kv", description = "KV cache type: f16, f32 or q8 (default: f16)")
  RuntimeSettings.KvType kv = RuntimeSettings.KvType.F16;

  @Option(
      names = "--sync",
      description = "activations on the network: f32, bf16 or q8 (default: f32)")
  RuntimeSettings.Sync sync = RuntimeSettings.Sync.F32;

  @Option(names = "--collective", description = "auto, direct or scatter (default: auto)")
  RuntimeSettings.Collective collective = RuntimeSettings.Collective.AUTO;

  @Option(
      names = "--prefill-chunk",
      paramLabel = "ROWS",
      description = "most prompt tokens per step (default: ${DEFAULT-VALUE})")
  int prefillChunk = 256;

  @Option(
      names = "--ctx",
      paramLabel = "N",
      description =
          "most tokens of prompt and output together (default: what the model allows; serve: at most 8192)")
  private @Nullable Integer contextLength;

  @Option(
      names = "--remote-workers",
      paramLabel = "N",
      description = "wait for N x S workers that join from elsewhere instead of starting them here")
  private @Nullable Integer remoteWorkers;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description = "where the coordinator waits for workers (default: a free loopback port)")
  String listen = "127.0.0.1:0";

  @Option(
      names = "--check-ranks",
      description = "compare a checksum of all activations between ranks after every all-reduce")
  boolean checkRanks;

  private int defaultWorkers = 2;
  private @Nullable Integer defaultContext;

  /** Sets the number of ranks where --workers is not given. */
  public void defaultWorkers(int count) {
    defaultWorkers = count;
  }

  /** Sets the most tokens of a sequence where --ctx is not given. */
  public void defaultContext(int tokens) {
    defaultContext = tokens;
  }

  /** Tensor-parallel ranks of a stage. */
  public int ranks() {
    if (remoteWorkers != null) {
      return remoteWorkers;
    }
    return workers == null ? defaultWorkers : workers;
  }

  /** JVMs of the whole grid. */
  public int grid() {
    return ranks() * stages;
  }

  /**
   * Checks the options against the model and puts the settings together.
   *
   * @param largestShardBytes weights of the largest shard
   * @param sequences most sequences at once
   * @throws ClusterException INVALID_REQUEST with the option, its value and what is allowed
   */
  ClusterSettings settings(
      Path model, LlamaConfig config, long largestShardBytes, int sequences, boolean verbose) {
    if ((long) prefillChunk * config.hiddenSize() * Float.BYTES > MAX_FRAME_BYTES) {
      throw invalid(
          "--prefill-chunk %d: a message of %d rows x %d floats is over 60 MiB; use at most %d"
              .formatted(
                  prefillChunk,
                  prefillChunk,
                  config.hiddenSize(),
                  MAX_FRAME_BYTES / Float.BYTES / config.hiddenSize()));
    }
    int context = context(config);
    int blocks = Math.ceilDiv(context, RuntimeSettings.BLOCK_POSITIONS);
    RuntimeSettings runtime =
        new RuntimeSettings(
            threadsPerWorker(),
            kernels(largestShardBytes),
            activations,
            kv,
            sync,
            collective,
            Math.min(prefillChunk, Math.max(context, sequences)),
            Math.multiplyExact(blocks, sequences),
            context,
            checkRanks,
            STEP_DEADLINE_MILLIS);
    return new ClusterSettings(
        model,
        ranks(),
        stages,
        runtime,
        Addresses.parse("--listen", listen),
        remoteWorkers != null,
        remoteWorkers != null ? List.of() : LocalWorkerCommand.build(runtime, verbose),
        verbose);
  }

  /**
   * Checks the options that do not depend on how the cluster is started.
   *
   * @throws ClusterException INVALID_REQUEST with the option, its value and what is allowed
   */
  void check(LlamaConfig config) {
    check(remoteWorkers == null ? "--workers" : "--remote-workers", ranks(), 1, 4096);
    check("--stages", stages, 1, 4096);
    check("--prefill-chunk", prefillChunk, 1, 1 << 16);
    if (threads != null) {
      check("--threads", threads, 1, 4096);
    }
    if (contextLength != null) {
      check("--ctx", contextLength, 1, config.contextLength());
    }
  }

  /** Most positions of a sequence. */
  int context(LlamaConfig config) {
    if (contextLength != null) {
      return contextLength;
    }
    return defaultContext == null
        ? config.contextLength()
        : Math.min(defaultContext, config.contextLength());
  }

  private RuntimeSettings.Kernels kernels(long largestShardBytes) {
    return switch (kernels) {
      case auto ->
          largestShardBytes < SMALL_SHARD_BYTES
              ? RuntimeSettings.Kernels.UNPACKED
              : RuntimeSettings.Kernels.SIMD;
      case simd -> RuntimeSettings.Kernels.SIMD;
      case scalar -> RuntimeSettings.Kernels.SCALAR;
    };
  }

  private int threadsPerWorker() {
    if (threads != null) {
      return threads;
    }
    if (remoteWorkers != null) {
      return 0;
    }
    return Math.max(1, Runtime.getRuntime().availableProcessors() / grid());
  }

  private static void check(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw invalid("%s %d is not in %d..%d".formatted(option, value, min, max));
    }
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
