package dev.caravan.worker.layer;

import dev.caravan.model.step.StepBatch;
import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.tensor.Activations;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of one stage: embed or receive, all blocks, head or send. Confined to the step
 * thread.
 */
public final class LlamaStage {
  private final StepRows rows;
  private final StepCut cut;
  private final Activations residual;
  private final @Nullable TokenEmbedding embedding;
  private final BlockSequence blocks;
  private final @Nullable VocabParallelHead head;
  private final @Nullable StageLink previous;
  private final @Nullable StageLink next;

  LlamaStage(
      StepRows rows,
      StepCut cut,
      Activations residual,
      @Nullable TokenEmbedding embedding,
      BlockSequence blocks,
      @Nullable VocabParallelHead head,
      @Nullable StageLink previous,
      @Nullable StageLink next) {
    this.rows = rows;
    this.cut = cut;
    this.residual = residual;
    this.embedding = embedding;
    this.blocks = blocks;
    this.head = head;
    this.previous = previous;
    this.next = next;
  }

  /**
   * Returns what the rows of the latest step answer; null where {@link #forward} returned null.
   * Valid until the next step.
   */
  public @Nullable RowAnswers answers() {
    return head == null || rows.logitsCount() == 0 ? null : head.answers();
  }

  /**
   * Runs a step.
   *
   * @return logits [rows that ask for them, vocabulary rows of the rank] on the last stage, valid
   *     until the next step; null if there are none
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the batch does not fit,
   *     WORKER_LOST if a peer is lost
   */
  public @Nullable Activations forward(StepBatch batch) {
    rows.set(batch);
    if (embedding != null) {
      embedding.forward(rows, residual);
    } else if (previous != null) {
      previous.receive(batch.step(), residual, rows.rows());
    }
    blocks.forward(cut.cut(rows, batch.step()));
    if (next != null) {
      next.send(batch.step(), residual, rows.rows());
    }
    return head == null || rows.logitsCount() == 0 ? null : head.forward(residual, rows);
  }
}
