package dev.caravan.worker.layer;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;

/** The output head of the rank's vocabulary rows, for the rows that need logits only. */
final class VocabParallelHead {
  private final RmsNorm norm;
  private final ColumnParallelLinear linear;
  private final Activations selected;
  private final Activations logits;
  private final RowAnswers answers;

  /**
   * @param selected [maxRows, hiddenSize] scratch
   * @param logits [maxRows, vocabulary rows of the rank], the output of the linear layer
   * @param answers from those logits
   */
  VocabParallelHead(
      RmsNorm norm,
      ColumnParallelLinear linear,
      Activations selected,
      Activations logits,
      RowAnswers answers) {
    this.norm = norm;
    this.linear = linear;
    this.selected = selected;
    this.logits = logits;
    this.answers = answers;
  }

  RowAnswers answers() {
    return answers;
  }

  /**
   * Computes the logits and what the rows answer from them.
   *
   * @param x [rows, hiddenSize] residual stream
   * @return [rows.logitsCount(), vocabulary rows of the rank]
   */
  Activations forward(Activations x, StepRows rows) {
    long bytes = (long) x.columns() * Float.BYTES;
    for (int i = 0; i < rows.logitsCount(); i++) {
      MemorySegment.copy(
          x.data(), x.offset(rows.logitsRow(i)), selected.data(), selected.offset(i), bytes);
    }
    norm.forward(selected, selected, rows.logitsCount());
    linear.forward(selected, rows.logitsCount());
    answers.select();
    return logits;
  }
}
