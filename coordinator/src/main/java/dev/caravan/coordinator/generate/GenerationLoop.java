package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.coordinator.schedule.Scheduler.Scheduled;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Runs sequences step by step on the cluster. Confined to the thread that calls it. */
public final class GenerationLoop {
  private final Scheduler scheduler;
  private final StepExecutor executor;
  private final int contextLength;
  private final LongSupplier nanoClock;
  private final StepTimes times = new StepTimes();
  private int epoch;
  private long step;
  private long syncBytes;
  private long rows;

  /**
   * @param contextLength most positions of one sequence
   * @param epoch incarnation of the cluster
   */
  public GenerationLoop(Scheduler scheduler, StepExecutor executor, int contextLength, int epoch) {
    this(scheduler, executor, contextLength, epoch, System::nanoTime);
  }

  GenerationLoop(
      Scheduler scheduler,
      StepExecutor executor,
      int contextLength,
      int epoch,
      LongSupplier nanoClock) {
    this.scheduler = scheduler;
    this.executor = executor;
    this.contextLength = contextLength;
    this.epoch = epoch;
    this.nanoClock = nanoClock;
  }

  /**
   * Adds a sequence to those that run.
   *
   * @throws ClusterException CONTEXT_TOO_LONG if its prompt does not fit the context
   */
  public void submit(Sequence sequence) {
    checkLength(sequence.length());
    scheduler.add(sequence);
  }

  /**
   * Checks a prompt's length.
   *
   * @throws ClusterException CONTEXT_TOO_LONG if it does not fit the context
   */
  public void checkLength(int tokens) {
    if (tokens > contextLength) {
      throw new ClusterException(
          ErrorCode.CONTEXT_TOO_LONG,
          "the prompt has %d tokens and the context holds %d; shorten the prompt or raise --ctx"
              .formatted(tokens, contextLength));
    }
  }

  /** The steps from now on are those of another epoch. */
  public void enterEpoch(int newEpoch) {
    epoch = newEpoch;
  }

  /** Submits a sequence and runs steps until it is finished. */
  public void run(Sequence sequence) {
    submit(sequence);
    try {
      while (!sequence.isFinished()) {
        step();
      }
    } finally {
      scheduler.remove(sequence);
    }
  }

  /** Runs one step for all sequences; does nothing if there are none. */
  public Optional<StepReport> step() {
    long startNanos = nanoClock.getAsLong();
    List<Scheduled> scheduled = scheduler.next();
    if (scheduled.isEmpty()) {
      return Optional.empty();
    }
    step++;
    StepBatch batch = new StepBatch(epoch, step, scheduled.stream().map(Scheduled::chunk).toList());
    StepResult result = executor.execute(batch);
    rows += batch.rows();
    syncBytes += result.syncBytes();
    times.add(result.workers());
    scheduler.accept(scheduled, result.answers(), row -> executor.recall(batch, row));
    int decodeRows = (int) scheduled.stream().filter(Scheduled::decodes).count();
    StepReport report =
        new StepReport(
            decodeRows,
            batch.rows() - decodeRows,
            nanoClock.getAsLong() - startNanos,
            result.workers());
    scheduler.paced(report.decodeRows(), report.promptRows(), report.nanos());
    return Optional.of(report);
  }

  public boolean isIdle() {
    return scheduler.isIdle();
  }

  /** What each worker spent on the steps. */
  public StepTimes times() {
    return times;
  }

  /** Rows (tokens) computed since the start. */
  public long rows() {
    return rows;
  }

  /** Bytes that all workers sent to each other since the start. */
  public long syncBytes() {
    return syncBytes;
  }
}
