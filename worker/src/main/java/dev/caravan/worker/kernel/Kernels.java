package dev.caravan.worker.kernel;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;

/**
 * Everything a layer computes, over ranges, by the calling thread alone.
 *
 * <p>All implementations return the same bits, and the bits of a row depend on nothing but the row:
 * not on the other rows, the ranges, the vector width or the number of threads. The plain-Java
 * implementation is the specification; how each sum is ordered is part of it.
 *
 * <p>No call allocates. An instance owns scratch memory and is confined to one thread: make one for
 * each thread of the pool.
 */
public interface Kernels {

  /**
   * Returns what {@link #matmul} reads of its input; {@link #prepare} makes it.
   *
   * @param int8 rounds activations to 8-bit integers with one scale (largest magnitude / 127) per
   *     32 columns
   * @param rows of the product
   */
  InputForms forms(DType weight, boolean int8, int rows);

  /**
   * Prepares rows for {@link #matmul}.
   *
   * <p>With int8, a block with a number that is not finite makes every product of the row not a
   * number.
   *
   * @param x [rows, columns] with at least out.columns() columns
   * @param out rows [fromRow, toRow) overwritten
   * @param forms of all weights that will be multiplied, the same for all rows of a step
   */
  void prepare(Activations x, MatmulInput out, InputForms forms, int fromRow, int toRow);

  /**
   * Multiplies rows by the transposed weights: {@code y[m][o] = sum over k of w[o][k] * x[m][k]}.
   *
   * <p>Order of the operations, in f32 with fused multiply-add: {@code s = 0; for k in the block: s
   * = fma(quant[o][k], x[m][k], s)}; {@code t = s * scale[o][block]} (t = s for the float types);
   * {@code t = fma(-min[o][block], sum of x[m] in the block, t)} (Q4_K, Q5_K); {@code y = fma(scale
   * of x[m] in the block, t, y)}; blocks in order, from y = 0.
   *
   * @param x [rows, w.columns()], prepared in all forms that this weight needs
   * @param rows of x and y, from the first
   * @param y [rows, at least w.rows()]: columns [16 * fromGroup, 16 * toGroup) below w.rows() are
   *     overwritten
   */
  void matmul(WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup);

  /**
   * Divides rows by their root mean square: {@code out = x / sqrt(mean(x * x) + eps) * weight}.
   *
   * @param weight [x.columns()] f32
   * @param out as x; may be x
   */
  void rmsNorm(
      Activations x, MemorySegment weight, float eps, Activations out, int fromRow, int toRow);

  /**
   * Turns heads by their position's angles, in place: numbers i and i + headDim / 2 of a head
   * together.
   *
   * @param x [rows, at least heads * headDim]
   * @param heads local heads, from the first column on
   */
  void rope(Activations x, int heads, Rotation rotation, int fromRow, int toRow);

  /**
   * Gates a feed-forward layer: {@code out = gate / (1 + exp(-gate)) * up}.
   *
   * @param out as gate and up; may be one of them
   */
  void swiglu(Activations gate, Activations up, Activations out, IntRange rows, IntRange columns);

  /** Adds in place: x += y over all columns of the rows. */
  void add(Activations x, Activations y, int fromRow, int toRow);

  /**
   * Attends with rows of a sequence and the query heads that share a key-value head: {@code
   * softmax(q k / sqrt(headDim)) v}.
   *
   * <p>Order of the operations. A row's positions are cut into ranges of {@link
   * AttentionRows#RANGE}. In a range: {@code score = 0; for d: score = fma(q[d], k[d], score)},
   * times 1 / sqrt(headDim); {@code max} of the scores; {@code weight = exp(score - max)}; {@code
   * sum} of the weights as {@link LaneSum} says; values in chunks of {@link AttentionRows#CHUNK}
   * positions: {@code c = 0; for p in the chunk: c = fma(weight[p], v[p], c)}, then {@code total +=
   * c}, from total = 0. Ranges are put together in order: {@code m = max(max0, max1); a = exp(max0
   * - m); b = exp(max1 - m); sum = fma(sum1, b, sum0 * a); total = fma(total1, b, total0 * a)}. At
   * last {@code out = total * (1 / sum)}.
   *
   * @param q [rows, heads * headDim], rotated
   * @param out as q; the columns of the head's query heads are overwritten
   */
  void attention(Activations q, Activations out, AttentionHead head, AttentionRows rows);

  /**
   * Computes one range of positions of {@link #attention}.
   *
   * @param parts overwritten from part rows.part(range) on
   */
  void attentionRange(
      Activations q, AttentionParts parts, AttentionHead head, AttentionRows rows, int range);

  /**
   * Puts all ranges together, which gives the bits of {@link #attention}.
   *
   * @param parts of all ranges of the rows; overwritten
   */
  void combineRanges(AttentionParts parts, Activations out, AttentionHead head, AttentionRows rows);

  /**
   * Turns a row as the checkpoint stores it into floats: a token's embedding.
   *
   * @param row dtype.bytes(columns) bytes
   * @param out row outRow overwritten from the first column on
   */
  default void dequantiseRow(
      DType dtype, MemorySegment row, int columns, Activations out, int outRow) {
    RowDequantiser.dequantise(dtype, row, columns, out, outRow);
  }
}
