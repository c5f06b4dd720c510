package dev.caravan.worker.kernel.simd;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kernel.Shapes;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The kernels with vectors of 128, 256 or 512 bits. Confined to one thread. */
public final class SimdKernels implements Kernels {
  private final KernelLimits limits;
  private final SimdMatmul matmul;
  private final SimdAttention attention;
  private final float[] lanes = new float[LaneSum.LANES];

  /**
   * Allocates the scratch memory.
   *
   * @param arena open as long as the kernels are used, and accessible to their thread
   */
  public SimdKernels(Arena arena, KernelLimits limits) {
    this.limits = limits;
    this.matmul = new SimdMatmul(arena);
    this.attention = new SimdAttention(arena, limits);
  }

  /** Bits of a vector on this machine, for people. */
  public static int vectorBits() {
    return Lanes.BITS;
  }

  @Override
  public InputForms forms(DType weight, boolean int8, int rows) {
    return SimdMatmul.forms(weight, int8, rows);
  }

  @Override
  public void prepare(Activations x, MatmulInput out, InputForms forms, int fromRow, int toRow) {
    Shapes.checkPrepare(x, out, fromRow, toRow);
    out.setForms(forms);
    for (int row = fromRow; row < toRow; row++) {
      if (forms.int8()) {
        SimdPrepare.integers(x, out, row);
      } else {
        SimdPrepare.floats(x, out, row);
      }
      SimdPrepare.forms(out, forms, row);
    }
  }

  @Override
  public void matmul(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    Shapes.checkMatmul(w, x, rows, y, fromGroup, toGroup);
    Shapes.checkForms(x, forms(w.dtype(), x.forms().int8(), rows));
    matmul.multiply(w, x, rows, y, fromGroup, toGroup);
  }

  @Override
  public void rmsNorm(
      Activations x, MemorySegment weight, float eps, Activations out, int fromRow, int toRow) {
    Shapes.checkSameColumns(x, out);
    for (int row = fromRow; row < toRow; row++) {
      SimdElementwise.squares(x.data(), x.offset(row), x.columns(), lanes);
      double meanSquare = (double) LaneSum.fold(lanes) / x.columns();
      float inverse = (float) (1 / Math.sqrt(meanSquare + eps));
      SimdElementwise.scale(
          x.data(), x.offset(row), inverse, weight, out.data(), out.offset(row), x.columns());
    }
  }

  @Override
  public void rope(Activations x, int heads, Rotation rotation, int fromRow, int toRow) {
    Activations cos = rotation.cos();
    Activations sin = rotation.sin();
    for (int row = fromRow; row < toRow; row++) {
      for (int head = 0; head < heads; head++) {
        long at = x.offset(row) + 4L * head * rotation.headDim();
        SimdElementwise.rotate(
            x.data(),
            at,
            cos.data(),
            cos.offset(row),
            sin.data(),
            sin.offset(row),
            rotation.headDim() / 2);
      }
    }
  }

  @Override
  public void swiglu(
      Activations gate, Activations up, Activations out, IntRange rows, IntRange columns) {
    for (int row = rows.start(); row < rows.end(); row++) {
      SimdElementwise.swiglu(gate, up, out, row, columns.start(), columns.end());
    }
  }

  @Override
  public void add(Activations x, Activations y, int fromRow, int toRow) {
    Shapes.checkSameColumns(x, y);
    for (int row = fromRow; row < toRow; row++) {
      SimdElementwise.add(x.data(), x.offset(row), y.data(), y.offset(row), x.columns());
    }
  }

  @Override
  public void attention(Activations q, Activations out, AttentionHead head, AttentionRows rows) {
    Shapes.checkAttention(q, head, rows, limits);
    Shapes.checkAttention(out, head, rows, limits);
    attention.attend(q, out, head, rows);
  }

  @Override
  public void attentionRange(
      Activations q, AttentionParts parts, AttentionHead head, AttentionRows rows, int range) {
    Shapes.checkAttention(q, head, rows, limits);
    Shapes.checkParts(parts, head, rows);
    attention.range(q, parts, head, rows, range);
  }

  @Override
  public void combineRanges(
      AttentionParts parts, Activations out, AttentionHead head, AttentionRows rows) {
    Shapes.checkAttention(out, head, rows, limits);
    Shapes.checkParts(parts, head, rows);
    attention.combine(parts, out, head, rows);
  }
}
