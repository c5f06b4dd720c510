package dev.caravan.coordinator.rpc;

/** Hears how a cluster comes up. Called on several threads. */
public interface LoadListener {

  /** The coordinator waits at host:port for workers that others start. */
  void waiting(String address, int expected);

  /** That many of the workers have joined. */
  void joined(int workers, int expected);

  /** Bytes of weights in place, over all workers. */
  void loaded(long doneBytes, long totalBytes);
}
