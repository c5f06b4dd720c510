package dev.caravan.worker.kvcache;

/**
 * The size of a rank's cache.
 *
 * @param layers of this stage
 * @param kvHeads of this rank
 * @param headDim numbers of a key
 * @param blocks of 16 positions that the coordinator may hand out
 * @param type of the stored numbers
 */
public record KvShape(int layers, int kvHeads, int headDim, int blocks, KvType type) {

  public KvShape {
    if (layers < 1 || kvHeads < 1 || headDim < 1 || headDim % 2 != 0 || blocks < 1) {
      throw new IllegalArgumentException(
          "cache of %d layers, %d heads of even size %d, %d blocks"
              .formatted(layers, kvHeads, headDim, blocks));
    }
  }
}
