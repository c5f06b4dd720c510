package dev.caravan.model.step;

/**
 * How workers compute; the same on every worker of a cluster.
 *
 * @param threads compute threads per worker; 0 for all processors of its machine
 * @param maxBatchRows most rows (tokens) of one step
 * @param kvBlocks KV blocks of {@link #BLOCK_POSITIONS} positions
 * @param contextLength most positions of one sequence
 * @param checksums true: every step compares a checksum over all activations after every all-reduce
 * @param stepDeadlineMillis a peer that does not answer for this long is lost
 */
public record RuntimeSettings(
    int threads,
    Kernels kernels,
    Activations activations,
    KvType kv,
    Sync sync,
    Collective collective,
    int maxBatchRows,
    int kvBlocks,
    int contextLength,
    boolean checksums,
    int stepDeadlineMillis) {

  /** Positions of one KV block. */
  public static final int BLOCK_POSITIONS = 16;

  private static final long MAX_LOGITS_BYTES = 32L << 20;
  private static final long REHEARSED_WEIGHT_BYTES = 128L << 20;

  /** Which kernels compute; all give the same bits. */
  public enum Kernels {
    /** Vector code: the fastest, once the JIT has compiled it. */
    SIMD,
    /** Plain loops over packed weights: the specification. */
    SCALAR,
    /** Plain loops over unpacked weights: for shards so small that they answer before SIMD does. */
    UNPACKED
  }

  /** How the inputs of matrix products are rounded. */
  public enum Activations {
    /** INT8 for quantised weights, F32 for 16- and 32-bit weights. */
    AUTO,
    F32,
    /** To int8 with one scale per 32. */
    INT8
  }

  /** How keys and values are kept. */
  public enum KvType {
    F16,
    F32,
    /** int8 with one f32 scale per position and 32 numbers of a head. */
    Q8;

    private static final int NUMBERS_PER_SCALE = 32;

    /** Bytes of one position's key or value of one head, as it is kept. */
    public long bytes(int headDim) {
      return switch (this) {
        case F16 -> (long) headDim * Short.BYTES;
        case F32 -> (long) headDim * Float.BYTES;
        case Q8 -> headDim + (long) Math.ceilDiv(headDim, NUMBERS_PER_SCALE) * Float.BYTES;
      };
    }
  }

  /** How activations cross the network. */
  public enum Sync {
    F32,
    BF16,
    /** int8 with one scale per 32. */
    Q8
  }

  /** How sums over ranks are made. */
  public enum Collective {
    /** By size. */
    AUTO,
    /** Every rank sends its partial sum to every other rank. */
    DIRECT,
    /** Reduce-scatter, then all-gather. */
    SCATTER
  }

  public RuntimeSettings {
    if (threads < 0) {
      throw new IllegalArgumentException("threads %d is negative".formatted(threads));
    }
    checkPositive("batch rows", maxBatchRows);
    checkPositive("KV blocks", kvBlocks);
    checkPositive("context length", contextLength);
    checkPositive("step deadline", stepDeadlineMillis);
  }

  /** Returns the same settings with another number of threads. */
  public RuntimeSettings withThreads(int count) {
    return new RuntimeSettings(
        count,
        kernels,
        activations,
        kv,
        sync,
        collective,
        maxBatchRows,
        kvBlocks,
        contextLength,
        checksums,
        stepDeadlineMillis);
  }

  /** Most rows of one step that may ask for logits, so that an answer stays a small message. */
  public int maxLogitsRows(int vocabSize) {
    return (int) Math.clamp(MAX_LOGITS_BYTES / Float.BYTES / vocabSize, 1, maxBatchRows);
  }

  /**
   * Whether a cluster spends some seconds on making its first steps fast: with fewer weights an
   * answer takes less time than that, and plain loops gain nothing.
   *
   * @param weightBytes of the shard of a worker
   */
  public boolean isWorthRehearsing(long weightBytes) {
    return kernels == Kernels.SIMD && weightBytes >= REHEARSED_WEIGHT_BYTES;
  }

  private static void checkPositive(String what, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s %d is not positive".formatted(what, value));
    }
  }
}
