package dev.caravan.worker.kernel.scalar;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kernel.Shapes;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The kernels as plain loops: slow, and right by definition. Confined to one thread. */
public final class ScalarKernels implements Kernels {
  private static final InputForms INTEGERS = InputForms.of(true);
  private static final InputForms FLOATS = InputForms.of(false);

  private final KernelLimits limits;
  private final ScalarAttention attention;
  private final @Nullable UnpackedWeights unpacked;
  private final UnpackedMatmul unpackedMatmul = new UnpackedMatmul();
  private final float[] lanes = new float[LaneSum.LANES];
  private final float[] chunk = new float[LaneSum.LANES];

  /** Allocates the scratch memory. */
  public ScalarKernels(KernelLimits limits) {
    this(limits, null);
  }

  /**
   * Multiplies with unpacked weights, which gives the same bits sooner.
   *
   * @param unpacked shared by the threads of a small shard; null to read the packed weights
   */
  public ScalarKernels(KernelLimits limits, @Nullable UnpackedWeights unpacked) {
    this.limits = limits;
    this.attention = new ScalarAttention(limits);
    this.unpacked = unpacked;
  }

  /** Values, scales and sums are all that plain loops read. */
  @Override
  public InputForms forms(DType weight, boolean int8, int rows) {
    return int8 ? INTEGERS : FLOATS;
  }

  @Override
  public void prepare(Activations x, MatmulInput out, InputForms forms, int fromRow, int toRow) {
    Shapes.checkPrepare(x, out, fromRow, toRow);
    out.setForms(forms);
    for (int row = fromRow; row < toRow; row++) {
      ScalarMatmul.prepare(x, out, forms.int8(), row);
    }
  }

  @Override
  public void matmul(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    Shapes.checkMatmul(w, x, rows, y, fromGroup, toGroup);
    UnpackedWeights.Unpacked arrays = unpacked == null ? null : unpacked.of(w);
    for (int group = fromGroup; group < toGroup; group++) {
      for (int row = 0; row < rows; row++) {
        if (arrays == null) {
          ScalarMatmul.matmul(w, x, row, y, group);
        } else {
          unpackedMatmul.matmul(w, arrays, x, row, y, group);
        }
      }
    }
  }

  @Override
  public void rmsNorm(
      Activations x, MemorySegment weight, float eps, Activations out, int fromRow, int toRow) {
    Shapes.checkSameColumns(x, out);
    for (int row = fromRow; row < toRow; row++) {
      double meanSquare = (double) sumOfSquares(x, row) / x.columns();
      float inverse = (float) (1 / Math.sqrt(meanSquare + eps));
      for (int k = 0; k < x.columns(); k++) {
        float w = weight.get(ValueLayout.JAVA_FLOAT, 4L * k);
        out.set(row, k, x.get(row, k) * inverse * w);
      }
    }
  }

  private float sumOfSquares(Activations x, int row) {
    Arrays.fill(lanes, 0f);
    for (int start = 0; start < x.columns(); start += LaneSum.CHUNK) {
      Arrays.fill(chunk, 0f);
      for (int k = start; k < Math.min(x.columns(), start + LaneSum.CHUNK); k++) {
        int lane = k % LaneSum.LANES;
        chunk[lane] = Math.fma(x.get(row, k), x.get(row, k), chunk[lane]);
      }
      for (int lane = 0; lane < LaneSum.LANES; lane++) {
        lanes[lane] += chunk[lane];
      }
    }
    return LaneSum.fold(lanes);
  }

  @Override
  public void rope(Activations x, int heads, Rotation rotation, int fromRow, int toRow) {
    int half = rotation.headDim() / 2;
    for (int row = fromRow; row < toRow; row++) {
      for (int head = 0; head < heads; head++) {
        for (int i = 0; i < half; i++) {
          int column = head * rotation.headDim() + i;
          float a = x.get(row, column);
          float b = x.get(row, column + half);
          float cos = rotation.cos().get(row, i);
          float sin = rotation.sin().get(row, i);
          x.set(row, column, Math.fma(a, cos, -(b * sin)));
          x.set(row, column + half, Math.fma(b, cos, a * sin));
        }
      }
    }
  }

  @Override
  public void swiglu(
      Activations gate, Activations up, Activations out, IntRange rows, IntRange columns) {
    for (int row = rows.start(); row < rows.end(); row++) {
      for (int k = columns.start(); k < columns.end(); k++) {
        float g = gate.get(row, k);
        out.set(row, k, g / (1f + Exponential.exp(-g)) * up.get(row, k));
      }
    }
  }

  @Override
  public void add(Activations x, Activations y, int fromRow, int toRow) {
    Shapes.checkSameColumns(x, y);
    for (int row = fromRow; row < toRow; row++) {
      for (int k = 0; k < x.columns(); k++) {
        x.set(row, k, x.get(row, k) + y.get(row, k));
      }
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
