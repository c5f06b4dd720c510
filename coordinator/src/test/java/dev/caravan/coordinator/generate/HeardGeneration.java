package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Remembers all that a generation let hear; refuses to hear more after the end. */
class HeardGeneration implements GenerationListener {
  private static final long DEADLINE_SECONDS = 60;

  private final CompletableFuture<End> end = new CompletableFuture<>();
  private final CompletableFuture<Boolean> firstToken = new CompletableFuture<>();
  private final List<Integer> ids = new ArrayList<>();
  final List<TokenLogprobs> logprobs = new ArrayList<>();
  final List<List<TokenLogprobs>> prompts = new ArrayList<>();

  @Override
  public synchronized void onPrompt(List<TokenLogprobs> prompt) {
    checkOpen();
    prompts.add(prompt);
  }

  @Override
  public synchronized boolean onToken(int id, @Nullable TokenLogprobs logprob) {
    checkOpen();
    ids.add(id);
    if (logprob != null) {
      logprobs.add(logprob);
    }
    firstToken.complete(true);
    return true;
  }

  @Override
  public void onEnd(End reason) {
    checkOpen();
    end.complete(reason);
  }

  @Override
  public void onError(ClusterException error) {
    checkOpen();
    end.completeExceptionally(error);
  }

  private void checkOpen() {
    if (end.isDone()) {
      throw new IllegalStateException("heard something after the end");
    }
  }

  synchronized List<Integer> ids() {
    return List.copyOf(ids);
  }

  boolean isDone() {
    return end.isDone();
  }

  void awaitFirstToken() {
    assertThat(await(firstToken)).isTrue();
  }

  /** Waits for the end. */
  End end() {
    return await(end);
  }

  /** Waits for the end and returns the tokens. */
  List<Integer> output() {
    end();
    return ids();
  }

  /** Waits for the failure. */
  ClusterException error() {
    try {
      throw new AssertionError("no failure but " + end.get(DEADLINE_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      return (ClusterException) e.getCause();
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }
}
