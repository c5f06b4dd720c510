package dev.caravan.worker.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.QkRowOrder;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WeightSlicerTest {
  private static final int HIDDEN = 64;
  private static final int HEADS = 6;
  private static final int KV_HEADS = 3;
  private static final int HEAD_DIM = 8;
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          HIDDEN,
          96,
          2,
          HEADS,
          KV_HEADS,
          HEAD_DIM,
          50,
          64,
          1e-5f,
          10_000,
          new RopeScaling.None(),
          false);
  private static final Shard SHARD =
      new Shard(
          0,
          1,
          new IntRange(0, 2),
          new IntRange(2, 5),
          new IntRange(1, 3),
          new IntRange(32, 64),
          new IntRange(16, 33));
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Test
  void bothRowOrdersGiveTheSameHalfSplitRows() {
    for (Kind kind : List.of(Kind.QUERY, Kind.KEY)) {
      int heads = kind == Kind.QUERY ? HEADS : KV_HEADS;
      IntRange own = kind == Kind.QUERY ? SHARD.heads() : SHARD.kvHeads();
      WeightSlice huggingFace = slice(kind, QkRowOrder.HALF_SPLIT, numberedRows(heads * HEAD_DIM));
      WeightSlice gguf = slice(kind, QkRowOrder.INTERLEAVED, interleavedRows(heads));
      assertThat(huggingFace.rows()).isEqualTo(own.size() * HEAD_DIM);
      assertThat(gguf.rows()).isEqualTo(huggingFace.rows());
      for (int row = 0; row < gguf.rows(); row++) {
        float expected = own.start() * HEAD_DIM + row;
        assertThat(huggingFace.row(row).get(FLOAT, 0)).isEqualTo(expected);
        assertThat(gguf.row(row).get(FLOAT, 0)).isEqualTo(expected);
      }
    }
  }

  @Test
  void otherRowsKeepTheirOrderInEveryFormat() {
    for (QkRowOrder order : QkRowOrder.values()) {
      assertRows(slice(Kind.VALUE, order, numberedRows(KV_HEADS * HEAD_DIM)), 8, 24);
      assertRows(slice(Kind.FFN_GATE, order, numberedRows(96)), 32, 64);
      assertRows(slice(Kind.FFN_UP, order, numberedRows(96)), 32, 64);
      assertRows(slice(Kind.OUTPUT, order, numberedRows(50)), 16, 33);
    }
  }

  @Test
  void rowParallelWeightsAreCutOnTheirColumns() {
    float[] output = new float[HIDDEN * HEADS * HEAD_DIM];
    for (int i = 0; i < output.length; i++) {
      output[i] = i;
    }
    WeightSlice slice =
        slice(
            Kind.ATTENTION_OUTPUT,
            QkRowOrder.INTERLEAVED,
            floats(HIDDEN, HEADS * HEAD_DIM, output));
    assertThat(slice.rows()).isEqualTo(HIDDEN);
    assertThat(slice.columns()).isEqualTo(3 * HEAD_DIM);
    assertThat(slice.row(2).get(FLOAT, 0)).isEqualTo(2 * HEADS * HEAD_DIM + 2 * HEAD_DIM);
    assertThat(slice.row(2).byteSize()).isEqualTo(3L * HEAD_DIM * Float.BYTES);
  }

  @Test
  void quantisedColumnsAreCutInBlocks() {
    byte[] bytes = new byte[HIDDEN * 3 * 34];
    for (int row = 0; row < HIDDEN; row++) {
      bytes[row * 3 * 34 + 34] = (byte) row; // first byte of the row's second block
    }
    TensorEntry down =
        new TensorEntry("down", DType.Q8_0, HIDDEN, 96, MemorySegment.ofArray(bytes));
    WeightSlice slice = slice(Kind.FFN_DOWN, QkRowOrder.HALF_SPLIT, down);
    assertThat(slice.columns()).isEqualTo(32);
    for (int row = 0; row < HIDDEN; row++) {
      assertThat(slice.row(row).byteSize()).isEqualTo(34);
      assertThat(slice.row(row).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) row);
    }
  }

  @Test
  void weightsThatEveryRankHoldsAreNotCut() {
    for (Kind kind : List.of(Kind.TOKEN_EMBEDDING, Kind.FINAL_NORM)) {
      WeightSlicer slicer = slicer(QkRowOrder.HALF_SPLIT, numberedRows(4));
      assertThatThrownBy(() -> slicer.slice(WeightName.of(kind)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("replicated");
    }
  }

  private static void assertRows(WeightSlice slice, int from, int to) {
    assertThat(slice.rows()).isEqualTo(to - from);
    for (int row = 0; row < slice.rows(); row++) {
      assertThat(slice.row(row).get(FLOAT, 0)).isEqualTo(from + row);
    }
  }

  private static WeightSlice slice(Kind kind, QkRowOrder order, TensorEntry tensor) {
    WeightName name = kind.isPerLayer() ? WeightName.of(kind, 1) : WeightName.of(kind);
    return slicer(order, tensor).slice(name);
  }

  private static WeightSlicer slicer(QkRowOrder order, TensorEntry tensor) {
    return new WeightSlicer(new OneTensor(order, tensor), SHARD);
  }

  /** Half-split rows that hold their own number. */
  private static TensorEntry numberedRows(int rows) {
    float[] numbers = new float[rows * HIDDEN];
    for (int row = 0; row < rows; row++) {
      numbers[row * HIDDEN] = row;
    }
    return floats(rows, HIDDEN, numbers);
  }

  /** The same rows as a converter to GGUF orders them: (half, pair) becomes (pair, half). */
  private static TensorEntry interleavedRows(int heads) {
    float[] numbers = new float[heads * HEAD_DIM * HIDDEN];
    for (int head = 0; head < heads; head++) {
      for (int half = 0; half < 2; half++) {
        for (int pair = 0; pair < HEAD_DIM / 2; pair++) {
          int from = head * HEAD_DIM + half * HEAD_DIM / 2 + pair;
          int to = head * HEAD_DIM + 2 * pair + half;
          numbers[to * HIDDEN] = from;
        }
      }
    }
    return floats(heads * HEAD_DIM, HIDDEN, numbers);
  }

  private static TensorEntry floats(int rows, int columns, float[] values) {
    byte[] bytes = new byte[values.length * Float.BYTES];
    MemorySegment data = MemorySegment.ofArray(bytes);
    for (int i = 0; i < values.length; i++) {
      data.set(FLOAT, (long) i * Float.BYTES, values[i]);
    }
    return new TensorEntry("tensor", DType.F32, rows, columns, data);
  }

  /** A checkpoint in memory that answers every name with the same tensor. */
  private record OneTensor(QkRowOrder qkRowOrder, TensorEntry tensor) implements Checkpoint {
    @Override
    public Path path() {
      return Path.of("memory");
    }

    @Override
    public String format() {
      return "memory";
    }

    @Override
    public LlamaConfig config() {
      return CONFIG;
    }

    @Override
    public List<TensorEntry> tensors() {
      return List.of(tensor);
    }

    @Override
    public TensorEntry weight(WeightName name) {
      return tensor;
    }

    @Override
    public Optional<Vocabulary> vocabulary() {
      return Optional.empty();
    }

    @Override
    public String fingerprint() {
      return "";
    }

    @Override
    public void close() {}
  }
}
