package dev.caravan.coordinator.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/**
 * The members of the cluster and their leases. A member joins, renews its lease, and is lost when
 * it leaves or when its lease runs out. Thread-safe.
 */
public final class Membership {
  private final Duration lease;
  private final LongSupplier nanoClock;
  private final Map<String, Lease> leases = new LinkedHashMap<>();
  private int latestEpoch; // guarded by this
  private final List<BiConsumer<Member, String>> lossListeners = new CopyOnWriteArrayList<>();

  /**
   * @param lease how long a silent member stays one
   * @param nanoClock monotonic clock in nanoseconds
   */
  public Membership(Duration lease, LongSupplier nanoClock) {
    this.lease = lease;
    this.nanoClock = nanoClock;
  }

  public Duration lease() {
    return lease;
  }

  /** Adds a listener that hears of every lost member and why; called on the thread that noticed. */
  public void onLoss(BiConsumer<Member, String> listener) {
    lossListeners.add(listener);
  }

  /**
   * Adds a member. A member of the same id is lost: a worker that was started again is back before
   * its broken connection or its lease tell that it was gone.
   */
  public void join(Member member) {
    Lease before;
    synchronized (this) {
      before = leases.remove(member.id());
      leases.put(member.id(), new Lease(member, nanoClock.getAsLong()));
      notifyAll();
    }
    if (before != null) {
      tellListeners(before.member, replacedBy(member));
    }
  }

  /** Why a member is lost to another one. */
  public static String replacedBy(Member member) {
    return "%s joined under its id".formatted(member.describe());
  }

  /** Takes note that a worker took part in an epoch, of this coordinator or of another. */
  public synchronized void sawEpoch(int epoch) {
    latestEpoch = Math.max(latestEpoch, epoch);
  }

  /** Latest epoch that any worker took part in; 0 if none did. */
  public synchronized int latestEpoch() {
    return latestEpoch;
  }

  /** Renews the lease of a member; a member that is already lost stays lost. */
  public synchronized void renew(Member member) {
    Lease held = leases.get(member.id());
    if (held != null && held.member.equals(member)) {
      held.renewedNanos = nanoClock.getAsLong();
    }
  }

  /** Ends a membership because the member's stream ended; does nothing if it is lost already. */
  public void leave(Member member, String reason) {
    boolean removed;
    synchronized (this) {
      Lease held = leases.get(member.id());
      removed = held != null && held.member.equals(member);
      if (removed) {
        leases.remove(member.id());
      }
      notifyAll();
    }
    if (removed) {
      tellListeners(member, reason);
    }
  }

  /** Ends the memberships whose lease has run out. */
  public void expire() {
    List<Member> expired = new ArrayList<>();
    long now = nanoClock.getAsLong();
    synchronized (this) {
      for (Lease held : leases.values()) {
        if (now - held.renewedNanos > lease.toNanos()) {
          expired.add(held.member);
        }
      }
      expired.forEach(member -> leases.remove(member.id()));
    }
    for (Member member : expired) {
      tellListeners(member, "it was silent for more than %d ms".formatted(lease.toMillis()));
    }
  }

  /** Members in the order in which they joined. */
  public synchronized List<Member> members() {
    return leases.values().stream().map(held -> held.member).toList();
  }

  /**
   * Waits until that many workers are members, or until the caller has another reason to stop.
   *
   * @param deadlineNanos on the clock of this membership
   * @return true if they are, false if the deadline passed first
   */
  public synchronized boolean awaitMembers(int count, long deadlineNanos)
      throws InterruptedException {
    while (leases.size() < count) {
      long leftMillis = (deadlineNanos - nanoClock.getAsLong()) / 1_000_000;
      if (leftMillis <= 0) {
        return false;
      }
      wait(leftMillis);
    }
    return true;
  }

  private void tellListeners(Member member, String reason) {
    for (BiConsumer<Member, String> listener : lossListeners) {
      listener.accept(member, reason);
    }
  }

  private static final class Lease {
    final Member member;
    long renewedNanos;

    Lease(Member member, long renewedNanos) {
      this.member = member;
      this.renewedNanos = renewedNanos;
    }
  }
}
