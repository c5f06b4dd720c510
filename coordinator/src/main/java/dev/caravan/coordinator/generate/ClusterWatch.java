package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Follows an engine's cluster: how it fails and how it comes back. Confined to the engine's thread
 * but for {@link #reason} and what the cluster tells.
 */
final class ClusterWatch {
  /** Generations wait this long for a cluster to come back; then they fail. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final Recovery cluster;
  private final Runnable onChange;
  private final LongSupplier nanoClock;
  private int epoch;
  private volatile @Nullable Failure told;
  private volatile @Nullable Outage outage;

  private record Failure(int epoch, ClusterException error) {}

  private record Outage(
      ClusterException error, long sinceNanos, CompletableFuture<Integer> recovery) {}

  /**
   * @param onChange called on any thread when there is something new to see
   */
  ClusterWatch(Recovery cluster, Runnable onChange, LongSupplier nanoClock) {
    this.cluster = cluster;
    this.onChange = onChange;
    this.nanoClock = nanoClock;
  }

  /** Begins with a cluster that is up. */
  void start(int firstEpoch) {
    epoch = firstEpoch;
    cluster.onFailure((failedEpoch, error) -> {
      told = new Failure(failedEpoch, error);
      onChange.run();
    });
  }

  /** Returns why the cluster, which was thought to be up, is not; null if it is. */
  @Nullable ClusterException newFailure() {
    Failure failure = told;
    return failure == null || failure.epoch() != epoch ? null : failure.error();
  }

  /** Returns true from {@link #recover} until {@link #poll} has returned an epoch. */
  boolean isDown() {
    return outage != null;
  }

  /** Why the cluster is down, for people; thread-safe. */
  String reason() {
    Outage current = outage;
    return current == null ? "" : String.valueOf(current.error().getMessage());
  }

  /** Has a failed cluster brought back. */
  void recover(ClusterException error) {
    CompletableFuture<Integer> recovery = cluster.recover();
    outage = new Outage(error, nanoClock.getAsLong(), recovery);
    recovery.whenComplete((newEpoch, failure) -> onChange.run());
  }

  /** Returns true once a failed cluster is back, or is known not to come back. */
  boolean isDecided() {
    Outage current = outage;
    return current != null && current.recovery().isDone();
  }

  /**
   * Looks how far that is.
   *
   * @return the new epoch once it is done
   * @throws ClusterException if the cluster does not come back
   */
  OptionalInt poll() {
    Outage current = outage;
    if (current == null || !current.recovery().isDone()) {
      return OptionalInt.empty();
    }
    try {
      epoch = current.recovery().get();
      outage = null;
      return OptionalInt.of(epoch);
    } catch (ExecutionException e) {
      throw new ClusterException(
          current.error().code(), String.valueOf(current.error().getMessage()), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "the engine was interrupted", e);
    }
  }

  /** Returns the error with which generations end that have waited long enough; null before. */
  @Nullable ClusterException lostPatience() {
    Outage current = outage;
    return current != null && nanoClock.getAsLong() - current.sinceNanos() > PATIENCE.toNanos()
        ? current.error()
        : null;
  }
}
