package dev.caravan.model.shard;

import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;

/**
 * What a shard weighs.
 *
 * @param blockBytes weights of its transformer blocks, as the checkpoint stores them
 * @param headBytes its rows of the output head and the final norm; 0 unless on the last stage
 * @param embeddingBytes the token embedding on the first stage; 0 on the others
 * @param kvElementsPerPosition elements of keys and values that one position adds to the cache
 */
public record ShardSizes(
    long blockBytes, long headBytes, long embeddingBytes, long kvElementsPerPosition) {

  /** Measures a shard. */
  public static ShardSizes of(LlamaConfig config, WeightTypes types, Shard shard) {
    long blockBytes = 0;
    for (int layer = shard.layers().start(); layer < shard.layers().end(); layer++) {
      blockBytes +=
          attentionBytes(config, types, layer, shard.heads().size(), shard.kvHeads().size())
              + ffnBytes(config, types, layer, shard.ffnColumns().size())
              + types.type(WeightName.of(Kind.ATTENTION_NORM, layer)).bytes(config.hiddenSize())
              + types.type(WeightName.of(Kind.FFN_NORM, layer)).bytes(config.hiddenSize());
    }
    boolean last = shard.layers().end() == config.layers();
    long headBytes =
        last
            ? rowsBytes(types, WeightName.of(Kind.OUTPUT), shard.vocabRows().size(), config)
                + types.type(WeightName.of(Kind.FINAL_NORM)).bytes(config.hiddenSize())
            : 0;
    long embeddingBytes =
        shard.stage() == 0
            ? rowsBytes(types, WeightName.of(Kind.TOKEN_EMBEDDING), config.vocabSize(), config)
            : 0;
    long kvElements = 2L * shard.layers().size() * shard.kvHeads().size() * config.headDim();
    return new ShardSizes(blockBytes, headBytes, embeddingBytes, kvElements);
  }

  /** Bytes that every decoded token reads: blocks and head, but one row of the embedding. */
  public long weightBytes() {
    return blockBytes + headBytes;
  }

  /**
   * Returns the bytes that a rank sends for one row of one all-reduce by direct exchange.
   *
   * @param rowBytes payload of one whole row
   */
  public static long directBytesSent(int ranks, long rowBytes) {
    return (ranks - 1) * rowBytes;
  }

  /**
   * Returns the bytes that a rank sends for one row by reduce-scatter and all-gather.
   *
   * @param rowBytes payload of one whole row
   */
  public static long scatterBytesSent(int ranks, long rowBytes) {
    return Math.ceilDiv(2 * (ranks - 1) * rowBytes, ranks);
  }

  /** All-reduces of one step on one stage: one after attention and one after the FFN. */
  public static int allReduces(Shard shard) {
    return 2 * shard.layers().size();
  }

  static long attentionBytes(
      LlamaConfig config, WeightTypes types, int layer, int heads, int kvHeads) {
    int headDim = config.headDim();
    return rowsBytes(types, WeightName.of(Kind.QUERY, layer), (long) heads * headDim, config)
        + rowsBytes(types, WeightName.of(Kind.KEY, layer), (long) kvHeads * headDim, config)
        + rowsBytes(types, WeightName.of(Kind.VALUE, layer), (long) kvHeads * headDim, config)
        + config.hiddenSize()
            * types.type(WeightName.of(Kind.ATTENTION_OUTPUT, layer)).bytes((long) heads * headDim);
  }

  static long ffnBytes(LlamaConfig config, WeightTypes types, int layer, int columns) {
    return rowsBytes(types, WeightName.of(Kind.FFN_GATE, layer), columns, config)
        + rowsBytes(types, WeightName.of(Kind.FFN_UP, layer), columns, config)
        + config.hiddenSize() * types.type(WeightName.of(Kind.FFN_DOWN, layer)).bytes(columns);
  }

  static long outputBytes(LlamaConfig config, WeightTypes types) {
    return rowsBytes(types, WeightName.of(Kind.OUTPUT), config.vocabSize(), config);
  }

  private static long rowsBytes(WeightTypes types, WeightName name, long rows, LlamaConfig config) {
    return rows * types.type(name).bytes(config.hiddenSize());
  }
}
