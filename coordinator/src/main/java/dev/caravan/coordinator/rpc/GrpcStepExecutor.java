package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.RankAnswers;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import dev.caravan.proto.wire.AnswerCodec;
import dev.caravan.proto.wire.StepCodec;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Sends each step to all workers and puts their logits together. Confined to the loop. */
final class GrpcStepExecutor implements StepExecutor {
  /**
   * A worker whose peer died often reports it before the coordinator sees the broken stream itself;
   * this long it waits for the better evidence.
   */
  private static final long EVIDENCE_MILLIS = 500;

  private final List<WorkerConnection> workers;
  private final int vocabSize;
  private final Duration stepDeadline;
  private final CompletableFuture<ClusterException> lost = new CompletableFuture<>();
  private final CompletableFuture<ClusterException> reported = new CompletableFuture<>();
  private final CompletableFuture<ClusterException> failure = new CompletableFuture<>();

  /**
   * @param workers in the plan's order; their failures must be told to {@link #onFailure}
   */
  GrpcStepExecutor(List<WorkerConnection> workers, int vocabSize, Duration stepDeadline) {
    this.workers = workers;
    this.vocabSize = vocabSize;
    this.stepDeadline = stepDeadline;
  }

  /** Hears that a worker's stream ended. Thread-safe. */
  void onFailure(WorkerConnection worker, ClusterException error, boolean reportedByWorker) {
    ClusterException named =
        reportedByWorker
            ? new ClusterException(
                error.code(), worker.describe() + " reports: " + error.getMessage(), error)
            : error;
    (reportedByWorker ? reported : lost).complete(named);
    failure.complete(named);
  }

  /** Hears that a member was lost. Thread-safe. */
  void onLoss(Member member, String reason) {
    for (WorkerConnection worker : workers) {
      if (worker.member().equals(member)) {
        ClusterException error =
            new ClusterException(
                ErrorCode.WORKER_LOST, "%s was lost: %s".formatted(worker.describe(), reason));
        lost.complete(error);
        failure.complete(error);
      }
    }
  }

  /** Completes with the first reason once a worker was lost or reported an error. Thread-safe. */
  CompletableFuture<ClusterException> failure() {
    return failure;
  }

  @Override
  public StepResult execute(StepBatch batch) {
    return merge(batch, ask(batch, workers, StepCodec.encode(batch)));
  }

  @Override
  public float[] recall(StepBatch batch, int row) {
    List<WorkerConnection> holders =
        workers.stream().filter(worker -> !worker.shard().vocabRows().isEmpty()).toList();
    List<ExecuteResponse> responses = ask(batch, holders, StepCodec.encodeRecall(batch, row));
    float[] logits = new float[vocabSize];
    for (int i = 0; i < holders.size(); i++) {
      check(batch, holders.get(i), responses.get(i));
      IntRange range = holders.get(i).shard().vocabRows();
      List<RowAnswer> answers = decode(holders.get(i), responses.get(i), List.of(RowQuery.ALL));
      // What was asked for all logits cannot be decoded as anything else.
      RowAnswer.All all = (RowAnswer.All) answers.getFirst();
      System.arraycopy(all.logits(), 0, logits, range.start(), range.size());
    }
    return logits;
  }

  /**
   * Sends a step that nobody computes to all workers, and waits for their answers.
   *
   * @return how long the JIT of a worker has worked since its start, in milliseconds, on average
   */
  long echo(StepBatch batch) {
    List<ExecuteResponse> responses = ask(batch, workers, StepCodec.encodeEcho(batch));
    for (int i = 0; i < responses.size(); i++) {
      check(batch, workers.get(i), responses.get(i));
    }
    return responses.stream().mapToLong(ExecuteResponse::getJitMillis).sum() / responses.size();
  }

  private List<ExecuteResponse> ask(
      StepBatch batch, List<WorkerConnection> asked, ExecuteRequest request) {
    List<CompletableFuture<ExecuteResponse>> answers = new ArrayList<>();
    for (WorkerConnection worker : asked) {
      answers.add(worker.execute(request));
    }
    await(batch, asked, answers);
    return answers.stream().map(CompletableFuture::join).toList();
  }

  private void await(
      StepBatch batch,
      List<WorkerConnection> asked,
      List<CompletableFuture<ExecuteResponse>> answers) {
    CompletableFuture<Void> all =
        CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new));
    try {
      CompletableFuture.anyOf(all, failure).get(stepDeadline.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      List<String> late = new ArrayList<>();
      for (int i = 0; i < answers.size(); i++) {
        if (!answers.get(i).isDone()) {
          late.add(asked.get(i).describe());
        }
      }
      throw new ClusterException(
          ErrorCode.DEADLINE_EXCEEDED,
          "step %d took more than %d ms; no answer from %s"
              .formatted(batch.step(), stepDeadline.toMillis(), String.join(", ", late)),
          e);
    } catch (ExecutionException e) {
      throw new ClusterException(ErrorCode.INTERNAL, "step %d failed".formatted(batch.step()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(
          ErrorCode.CANCELLED, "step %d was interrupted".formatted(batch.step()), e);
    }
    if (!all.isDone()) {
      throw failure(batch);
    }
  }

  private ClusterException failure(StepBatch batch) {
    ClusterException cause;
    try {
      cause = lost.get(EVIDENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      cause = reported.getNow(null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cause = reported.getNow(null);
    }
    if (cause == null) {
      return new ClusterException(
          ErrorCode.INTERNAL, "step %d failed without a reason".formatted(batch.step()));
    }
    return new ClusterException(
        cause.code(), "step %d: %s".formatted(batch.step(), cause.getMessage()), cause);
  }

  private StepResult merge(StepBatch batch, List<ExecuteResponse> responses) {
    List<RowQuery> queries = batch.queries();
    List<List<RowAnswer>> answers = new ArrayList<>();
    List<WorkerTimes> times = new ArrayList<>();
    for (int i = 0; i < responses.size(); i++) {
      ExecuteResponse response = responses.get(i);
      check(batch, workers.get(i), response);
      checkSameActivations(batch, i, responses);
      answers.add(decode(workers.get(i), response, queries));
      times.add(
          new WorkerTimes(
              response.getComputeNanos(),
              response.getSyncNanos(),
              response.getWaitNanos(),
              response.getSyncBytes()));
    }
    return new StepResult(batch.step(), ranks().join(batch, answers), times);
  }

  private RankAnswers ranks() {
    return new RankAnswers(
        workers.stream().map(worker -> worker.shard().vocabRows()).toList(), vocabSize);
  }

  private static List<RowAnswer> decode(
      WorkerConnection worker, ExecuteResponse response, List<RowQuery> queries) {
    try {
      return AnswerCodec.decode(response, queries, worker.shard().vocabRows());
    } catch (ClusterException e) {
      throw new ClusterException(e.code(), worker.describe() + " " + e.getMessage(), e);
    }
  }

  private static void check(StepBatch batch, WorkerConnection worker, ExecuteResponse response) {
    if (response.getEpoch() != batch.epoch() || response.getStep() != batch.step()) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "%s answered epoch %d step %d instead of epoch %d step %d"
              .formatted(
                  worker.describe(),
                  response.getEpoch(),
                  response.getStep(),
                  batch.epoch(),
                  batch.step()));
    }
  }

  /** Invariant 1: all ranks of a stage hold the same bits after every all-reduce. */
  private void checkSameActivations(StepBatch batch, int index, List<ExecuteResponse> responses) {
    if (index == 0
        || workers.get(index).shard().stage() != workers.get(index - 1).shard().stage()) {
      return;
    }
    long here = responses.get(index).getChecksum();
    long before = responses.get(index - 1).getChecksum();
    if (here != before) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "step %d: activations differ between ranks: checksum %016x on %s, %016x on %s"
              .formatted(
                  batch.step(),
                  before,
                  workers.get(index - 1).describe(),
                  here,
                  workers.get(index).describe()));
    }
  }
}
