package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.rpc.LoadListener;

/** Tells callers how far loading is. Thread-safe. */
record LoadingMessages(Serving serving) implements LoadListener {
  private static final long MEBIBYTE = 1 << 20;

  @Override
  public void waiting(String address, int expected) {
    serving.loading("waiting for %d workers at %s".formatted(expected, address));
  }

  @Override
  public void joined(int workers, int expected) {
    serving.loading("%d of %d workers have joined".formatted(workers, expected));
  }

  @Override
  public void loaded(long doneBytes, long totalBytes) {
    serving.loading(
        "%d of %d MiB of weights".formatted(doneBytes / MEBIBYTE, totalBytes / MEBIBYTE));
  }

  @Override
  public void priming() {
    serving.loading("compiling kernels");
  }

  @Override
  public void rehearsing() {
    serving.loading("warming up");
  }
}
