package dev.caravan.coordinator.api;

import dev.caravan.coordinator.generate.Engine;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.GenerationListener.End;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * An engine whose answers are known beforehand: one token of each generation in turn, on a thread
 * of its own. Its token i has the log probability -i. Thread-safe.
 */
public final class ScriptedEngine implements Engine, AutoCloseable {
  static final int CACHED_TOKENS = 3;

  private final Function<EngineRequest, int[]> script;
  private final int capacity;
  private final List<Running> running = new ArrayList<>();
  private final List<EngineRequest> requests = new ArrayList<>();
  private final Thread thread = Thread.ofPlatform().daemon().unstarted(this::run);
  private EngineStatus.State state = EngineStatus.State.SERVING;
  private int tokensAllowed = Integer.MAX_VALUE;
  private int cancelled;
  private boolean closed;

  private static final class Running {
    final EngineRequest request;
    final GenerationListener listener;
    final int[] output;
    int count;
    boolean cancelled;

    Running(EngineRequest request, GenerationListener listener, int[] output) {
      this.request = request;
      this.listener = listener;
      this.output = output;
    }
  }

  /**
   * @param script output ids of a request
   * @param capacity generations that are accepted at once
   */
  public ScriptedEngine(Function<EngineRequest, int[]> script, int capacity) {
    this.script = script;
    this.capacity = capacity;
    thread.start();
  }

  @Override
  public synchronized Handle submit(EngineRequest request, GenerationListener listener) {
    if (running.size() >= capacity) {
      throw new ClusterException(
          ErrorCode.OVERLOADED, "the queue of %d is full".formatted(capacity));
    }
    if (state != EngineStatus.State.SERVING) {
      throw new ClusterException(ErrorCode.MODEL_NOT_READY, "the engine is " + state);
    }
    requests.add(request);
    Running added = new Running(request, listener, script.apply(request));
    running.add(added);
    notifyAll();
    return () -> cancel(added);
  }

  @Override
  public synchronized EngineStatus status() {
    return new EngineStatus(state, running.size(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  synchronized void become(EngineStatus.State next) {
    state = next;
  }

  /** Generates so many more tokens, then waits. */
  public synchronized void allow(int tokens) {
    tokensAllowed = tokens;
    notifyAll();
  }

  public synchronized List<EngineRequest> requests() {
    return List.copyOf(requests);
  }

  /** Waits until so many generations were cancelled. */
  public void awaitCancelled(int count) throws InterruptedException {
    await(() -> cancelled >= count, "cancelled");
  }

  /** Waits until so many generations were accepted. */
  void awaitRequests(int count) throws InterruptedException {
    await(() -> requests.size() >= count, "accepted");
  }

  /** Waits until all generations have ended. */
  void awaitIdle() throws InterruptedException {
    await(running::isEmpty, "ended");
  }

  private synchronized void await(BooleanSupplier condition, String what)
      throws InterruptedException {
    long end = System.nanoTime() + 60_000_000_000L;
    while (!condition.getAsBoolean()) {
      long leftMillis = (end - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        throw new AssertionError("not as many generations were %s as expected".formatted(what));
      }
      wait(leftMillis);
    }
  }

  synchronized int cancelled() {
    return cancelled;
  }

  /** Fails all generations as if a worker was lost. */
  synchronized void fail(ClusterException error) {
    running.forEach(each -> each.listener.onError(error));
    running.clear();
  }

  @Override
  public void close() throws InterruptedException {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    thread.join();
  }

  private synchronized void cancel(Running which) {
    if (running.contains(which) && !which.cancelled) {
      which.cancelled = true;
      cancelled++;
      notifyAll();
    }
  }

  private void run() {
    try {
      while (stepAll()) {
        // Others have to get hold of the lock in between.
        Thread.yield();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized boolean stepAll() throws InterruptedException {
    for (Running each : List.copyOf(running)) {
      if (each.cancelled) {
        end(each, EndReason.CANCELLED);
      }
    }
    while (!closed && (running.isEmpty() || (tokensAllowed == 0 && cancelledEnded()))) {
      wait();
    }
    for (Running each : List.copyOf(running)) {
      step(each);
    }
    return !closed;
  }

  private boolean cancelledEnded() {
    return running.stream().noneMatch(each -> each.cancelled);
  }

  private void step(Running each) {
    if (each.cancelled || tokensAllowed == 0) {
      return;
    }
    if (each.count == 0 && each.request.promptLogprobs()) {
      List<TokenLogprobs> prompt = new ArrayList<>();
      for (int i = 1; i < each.request.prompt().length; i++) {
        prompt.add(scored(each.request, each.request.prompt()[i]));
      }
      each.listener.onPrompt(prompt);
    }
    if (each.count >= Math.min(each.request.maxTokens(), each.output.length)) {
      end(each, EndReason.LENGTH);
      return;
    }
    tokensAllowed--;
    int id = each.output[each.count];
    each.count++;
    boolean more =
        each.listener.onToken(id, each.request.topLogprobs() < 0 ? null : scored(each.request, id));
    if (!more || each.request.endIds().contains(id)) {
      end(each, EndReason.STOP);
    } else if (each.count == each.request.maxTokens()) {
      end(each, EndReason.LENGTH);
    }
  }

  private void end(Running each, EndReason reason) {
    running.remove(each);
    each.listener.onEnd(new End(reason, each.request.prompt().length, CACHED_TOKENS, each.count));
    notifyAll();
  }

  private static TokenLogprobs scored(EngineRequest request, int id) {
    int[] top = new int[request.topLogprobs()];
    float[] logprobs = new float[top.length];
    for (int i = 0; i < top.length; i++) {
      top[i] = id - i;
      logprobs[i] = -(id - i);
    }
    return new TokenLogprobs(id, -id, top, logprobs);
  }
}
