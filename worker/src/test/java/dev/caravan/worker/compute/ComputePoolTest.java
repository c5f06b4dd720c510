package dev.caravan.worker.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ComputePoolTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void doesEveryPartOnceInEveryRun(int threads) {
    try (ComputePool pool = new ComputePool(threads)) {
      pool.start();
      for (int run = 0; run < 3000; run++) {
        int tasks = run % 23;
        AtomicIntegerArray counts = new AtomicIntegerArray(23);
        pool.run(
            tasks,
            (task, thread) -> {
              assertThat(thread).isBetween(0, threads - 1);
              counts.incrementAndGet(task);
            });
        for (int task = 0; task < 23; task++) {
          assertThat(counts.get(task))
              .as("run %d task %d", run, task)
              .isEqualTo(task < tasks ? 1 : 0);
        }
      }
    }
  }

  @Test
  void wakesParkedThreads() throws Exception {
    try (ComputePool pool = new ComputePool(2)) {
      pool.start();
      for (int run = 0; run < 20; run++) {
        Thread.sleep(1);
        CountDownLatch both = new CountDownLatch(2);
        Set<String> names = ConcurrentHashMap.newKeySet();
        pool.run(
            2,
            (task, thread) -> {
              names.add(Thread.currentThread().getName());
              both.countDown();
              awaitOrFail(both);
            });
        assertThat(names).hasSize(2).contains("compute-1");
      }
    }
  }

  @Test
  void callerDoesSomethingElseAfterItsParts() {
    try (ComputePool pool = new ComputePool(1)) {
      pool.start();
      List<String> done = new ArrayList<>();
      pool.run(3, (task, thread) -> done.add("part " + task), () -> done.add("else"));
      assertThat(done).containsExactly("part 0", "else", "part 1", "else", "part 2", "else");
    }
  }

  @Test
  void callerDoesSomethingElseWhileItWaits() {
    try (ComputePool pool = new ComputePool(2)) {
      pool.start();
      Thread caller = Thread.currentThread();
      CountDownLatch both = new CountDownLatch(2);
      CountDownLatch meanwhile = new CountDownLatch(100);
      pool.run(
          2,
          (task, thread) -> {
            both.countDown();
            awaitOrFail(both);
            if (thread == 1) {
              awaitOrFail(meanwhile);
            }
          },
          () -> {
            assertThat(Thread.currentThread()).isSameAs(caller);
            meanwhile.countDown();
          });
      assertThat(meanwhile.getCount()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void throwsWhatIsThrownMeanwhileAndGoesOn(int threads) {
    try (ComputePool pool = new ComputePool(threads)) {
      pool.start();
      for (int run = 0; run < 100; run++) {
        CountDownLatch all = new CountDownLatch(threads);
        assertThatThrownBy(() ->
                pool.run(
                    threads,
                    (task, thread) -> {
                      all.countDown();
                      awaitOrFail(all);
                    },
                    () -> {
                      throw new IllegalStateException("meanwhile");
                    }))
            .hasMessage("meanwhile");
        AtomicIntegerArray counts = new AtomicIntegerArray(1);
        pool.run(10, (task, thread) -> counts.incrementAndGet(0));
        assertThat(counts.get(0)).isEqualTo(10);
      }
    }
  }

  @Test
  void waitsForOtherThreadsAlsoIfItThrowsMeanwhile() {
    try (ComputePool pool = new ComputePool(2)) {
      pool.start();
      CountDownLatch both = new CountDownLatch(2);
      CountDownLatch thrown = new CountDownLatch(1);
      AtomicBoolean ended = new AtomicBoolean();
      assertThatThrownBy(() ->
              pool.run(
                  2,
                  (task, thread) -> {
                    both.countDown();
                    awaitOrFail(both);
                    if (thread == 1) {
                      awaitOrFail(thrown);
                      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                      ended.set(true);
                    }
                  },
                  () -> {
                    thrown.countDown();
                    throw new IllegalStateException("meanwhile");
                  }))
          .hasMessage("meanwhile");
      assertThat(ended).isTrue();
    }
  }

  @Test
  void throwsWhatAPartThrowsAndGoesOn() {
    try (ComputePool pool = new ComputePool(3)) {
      pool.start();
      for (int failing = 0; failing < 10; failing++) {
        int bad = failing;
        assertThatThrownBy(() ->
                pool.run(
                    10,
                    (task, thread) -> {
                      if (task == bad) {
                        throw new IllegalStateException("part " + task);
                      }
                    }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("part " + bad);
        AtomicIntegerArray counts = new AtomicIntegerArray(1);
        pool.run(10, (task, thread) -> counts.incrementAndGet(0));
        assertThat(counts.get(0)).isEqualTo(10);
      }
    }
  }

  @Test
  void refusesARunInsideARun() {
    try (ComputePool pool = new ComputePool(2)) {
      pool.start();
      assertThatThrownBy(() -> pool.run(2, (task, thread) -> pool.run(1, (t, n) -> {})))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("in progress");
    }
  }

  @Test
  void runsOnlyWhileStarted() {
    ComputePool pool = new ComputePool(2);
    assertThatThrownBy(() -> pool.run(1, (task, thread) -> {}))
        .isInstanceOf(IllegalStateException.class);
    pool.start();
    pool.run(1, (task, thread) -> {});
    pool.close();
    pool.close();
    assertThatThrownBy(() -> pool.run(1, (task, thread) -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    new ComputePool(3).close();
  }

  private static void awaitOrFail(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the other thread never came");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
