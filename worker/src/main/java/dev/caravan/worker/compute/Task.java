package dev.caravan.worker.compute;

/** Work in numbered parts that may run in any order, at once. */
@FunctionalInterface
public interface Task {

  /**
   * Does one part.
   *
   * @param task number of the part, in [0, tasks)
   * @param thread that runs it, in [0, threads): owns scratch memory of that number; the caller is
   *     thread 0
   */
  void run(int task, int thread);
}
