package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.GenerationListener.End;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of an engine: its sequence, its times, and all that its listener hears. What goes
 * wrong in its own sampling or in its listener ends it alone. Confined to the engine's thread but
 * for {@link #cancel}.
 */
final class EngineTask
    implements Engine.Handle, Sequence.AnswerConsumer, TokenGeneration.TokenSink {
  private static final Logger LOG = LoggerFactory.getLogger(EngineTask.class);

  /** A cluster that fails more often than this under one generation would do so for ever. */
  private static final int MAX_INTERRUPTIONS = 3;

  private final EngineRequest request;
  private final GenerationListener listener;
  private final EngineObserver observer;
  private final LongSupplier nanoClock;
  private final long submitNanos;
  private final long timeoutNanos;
  private final TokenGeneration generation;
  private final Sequence sequence;
  private long firstTokenNanos;
  private long lastTokenNanos;
  private boolean started;
  private int interruptions;
  private @Nullable ClusterException failure;
  private @Nullable RuntimeException recallFailure;
  private volatile boolean cancelled;

  /** Starts the clock of the generation. */
  EngineTask(
      EngineRequest request,
      int contextLength,
      GenerationListener listener,
      EngineObserver observer,
      LongSupplier nanoClock) {
    this.request = request;
    this.listener = listener;
    this.observer = observer;
    this.nanoClock = nanoClock;
    this.submitNanos = nanoClock.getAsLong();
    this.timeoutNanos = TimeUnit.NANOSECONDS.convert(request.timeout());
    this.generation = new TokenGeneration(request, contextLength, this);
    this.sequence = Sequence.sharing(request.prompt(), generation.promptLogits(), this);
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  Sequence sequence() {
    return sequence;
  }

  boolean isCancelled() {
    return cancelled;
  }

  boolean isExpired() {
    return nanosSinceSubmit() >= timeoutNanos;
  }

  @Override
  public RowQuery query(int position) {
    return generation.query(position);
  }

  /**
   * {@inheritDoc}
   *
   * @throws ClusterException if the cluster fails to answer all logits: that ends more than this
   */
  @Override
  public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    try {
      return generation.accept(position, answer, () -> recall(allLogits));
    } catch (RuntimeException e) {
      if (e == recallFailure) {
        throw e;
      }
      failure = asFailure(e);
      return END;
    }
  }

  private float[] recall(Supplier<float[]> allLogits) {
    try {
      return allLogits.get();
    } catch (RuntimeException e) {
      recallFailure = e;
      throw e;
    }
  }

  private static ClusterException asFailure(RuntimeException e) {
    if (e instanceof ClusterException error) {
      return error;
    }
    LOG.error("a generation failed by a defect", e);
    return new ClusterException(
        ErrorCode.INTERNAL, "the generation failed by a defect: " + e.getMessage(), e);
  }

  @Override
  public void onPrompt(List<TokenLogprobs> prompt) {
    listener.onPrompt(prompt);
  }

  @Override
  public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
    long now = nanoClock.getAsLong();
    if (generation.outputTokens() == 1) {
      firstTokenNanos = now - submitNanos;
      observer.onFirstToken(firstTokenNanos);
    } else {
      observer.onNextToken(now - lastTokenNanos);
    }
    lastTokenNanos = now;
    return listener.onToken(id, logprobs);
  }

  /** Tells the observer once that the sequence has begun. */
  void tellStart() {
    if (!started && sequence.hasBegun()) {
      started = true;
      observer.onStarted(nanosSinceSubmit());
    }
  }

  /**
   * The cluster failed while the sequence ran; it will be computed again.
   *
   * @return false if that has happened so often that the sequence may be the reason
   */
  boolean mayGoOn() {
    interruptions++;
    return interruptions <= MAX_INTERRUPTIONS;
  }

  /** The sequence is finished. */
  void finish() {
    if (failure == null) {
      end(generation.endReason());
    } else {
      fail(failure);
    }
  }

  /** The caller gave up. */
  void endCancelled() {
    end(EndReason.CANCELLED);
  }

  void fail(ClusterException error) {
    observer.onFailed(error.code(), totals());
    tell(() -> listener.onError(error));
  }

  void failExpired() {
    fail(
        new ClusterException(
            ErrorCode.DEADLINE_EXCEEDED,
            "the generation took more than %d ms; %d tokens were generated"
                .formatted(request.timeout().toMillis(), generation.outputTokens())));
  }

  private void end(EndReason reason) {
    observer.onEnd(reason, totals());
    tell(() ->
        listener.onEnd(
            new End(
                reason,
                request.prompt().length,
                sequence.cachedTokens(),
                generation.outputTokens())));
  }

  private EngineObserver.Totals totals() {
    return new EngineObserver.Totals(
        firstTokenNanos,
        nanosSinceSubmit(),
        request.prompt().length,
        sequence.cachedTokens(),
        generation.outputTokens());
  }

  private void tell(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      LOG.error("the listener of a generation failed when it ended", e);
    }
  }

  int outputTokens() {
    return generation.outputTokens();
  }

  /** Ids of the prompt that had to be computed, once they were; 0 before. */
  int computedPromptTokens() {
    return sequence.promptIsComputed() ? request.prompt().length - sequence.cachedTokens() : 0;
  }

  private long nanosSinceSubmit() {
    return nanoClock.getAsLong() - submitNanos;
  }
}
