package dev.caravan.coordinator.rpc;

/** Hears how a cluster comes up. Called on several threads. */
public interface LoadListener {
  /** Hears nothing. */
  LoadListener NONE =
      new LoadListener() {
        @Override
        public void waiting(String address, int expected) {}

        @Override
        public void joined(int workers, int expected) {}

        @Override
        public void loaded(long doneBytes, long totalBytes) {}

        @Override
        public void priming() {}

        @Override
        public void rehearsing() {}
      };

  /** The coordinator waits at host:port for workers that others start. */
  void waiting(String address, int expected);

  /** That many of the workers have joined. */
  void joined(int workers, int expected);

  /** Bytes of weights in place, over all workers. */
  void loaded(long doneBytes, long totalBytes);

  /** All weights are in place; the workers have their kernels compiled. */
  void priming();

  /** All workers are ready; what is left is to make the first steps fast. */
  void rehearsing();

  /** Returns a listener that tells this one and then another. */
  default LoadListener with(LoadListener other) {
    LoadListener first = this;
    return new LoadListener() {
      @Override
      public void waiting(String address, int expected) {
        first.waiting(address, expected);
        other.waiting(address, expected);
      }

      @Override
      public void joined(int workers, int expected) {
        first.joined(workers, expected);
        other.joined(workers, expected);
      }

      @Override
      public void loaded(long doneBytes, long totalBytes) {
        first.loaded(doneBytes, totalBytes);
        other.loaded(doneBytes, totalBytes);
      }

      @Override
      public void priming() {
        first.priming();
        other.priming();
      }

      @Override
      public void rehearsing() {
        first.rehearsing();
        other.rehearsing();
      }
    };
  }
}
