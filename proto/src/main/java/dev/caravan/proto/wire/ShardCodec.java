package dev.caravan.proto.wire;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.proto.worker.v1.Range;
import dev.caravan.proto.worker.v1.ShardSpec;

/** {@link Shard} to and from its message. */
public final class ShardCodec {
  private ShardCodec() {}

  public static ShardSpec encode(Shard shard) {
    return ShardSpec.newBuilder()
        .setStage(shard.stage())
        .setRank(shard.rank())
        .setLayers(encode(shard.layers()))
        .setHeads(encode(shard.heads()))
        .setKvHeads(encode(shard.kvHeads()))
        .setFfnColumns(encode(shard.ffnColumns()))
        .setVocabRows(encode(shard.vocabRows()))
        .build();
  }

  /**
   * @throws IllegalArgumentException if a range is not one
   */
  public static Shard decode(ShardSpec spec) {
    return new Shard(
        spec.getStage(),
        spec.getRank(),
        decode(spec.getLayers()),
        decode(spec.getHeads()),
        decode(spec.getKvHeads()),
        decode(spec.getFfnColumns()),
        decode(spec.getVocabRows()));
  }

  private static Range encode(IntRange range) {
    return Range.newBuilder().setStart(range.start()).setEnd(range.end()).build();
  }

  private static IntRange decode(Range range) {
    return new IntRange(range.getStart(), range.getEnd());
  }
}
