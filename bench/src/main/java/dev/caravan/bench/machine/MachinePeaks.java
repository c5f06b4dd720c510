package dev.caravan.bench.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures how fast this machine reads memory and how fast it multiplies: the yardsticks that all
 * other figures are shares of.
 *
 * <p>Every thread reads its own off-heap buffer, touched first by itself, far larger than any
 * cache. Confined to one thread; close() frees the buffers.
 */
public final class MachinePeaks implements AutoCloseable {
  private static final long TOTAL_BYTES = 1L << 30;
  private static final long MIN_BUFFER_BYTES = 64L << 20;
  private static final long CHUNK_BYTES = 64 << 10;
  private static final long BYTE_ALIGNMENT = 4096;
  private static final int FMA_ROUNDS = 20_000;
  private static final int FMA_CALLS = 1_000;
  private static final int REPETITIONS = 7;
  private static final long WARM_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

  private final Arena arena = Arena.ofShared();
  private final ThreadTeam team;
  private final MemorySegment[] buffers;

  /** Takes every result of a loop, so that no loop can be left out. */
  private final AtomicLong sink = new AtomicLong();

  private boolean warm;

  /**
   * @param maxThreads most threads that will be measured
   */
  public MachinePeaks(int maxThreads) {
    this.team = new ThreadTeam(maxThreads);
    this.buffers = new MemorySegment[maxThreads];
  }

  /** Returns GB/s (10^9 bytes) read by so many threads together: the median of several passes. */
  public double readGigabytesPerSecond(int threads) {
    warmUp();
    allocate();
    long bytes = buffers[0].byteSize();
    double[] rates = new double[REPETITIONS];
    for (int i = 0; i < REPETITIONS; i++) {
      long nanos = team.run(threads, thread -> readAll(buffers[thread]));
      rates[i] = (double) bytes * threads / nanos;
    }
    return Medians.of(rates);
  }

  /** Returns GFLOP/s of f32 multiply-adds by so many threads together, counted as two each. */
  public double fmaGigaflops(int threads) {
    warmUp();
    double[] rates = new double[REPETITIONS];
    double operations =
        (double) PeakLoops.FLOPS_PER_ROUND * PeakLoops.floatLanes() * FMA_ROUNDS * FMA_CALLS;
    for (int i = 0; i < REPETITIONS; i++) {
      long nanos = team.run(threads, thread -> multiplyAdds(FMA_CALLS));
      rates[i] = operations * threads / nanos;
    }
    return Medians.of(rates);
  }

  @Override
  public void close() {
    team.close();
    arena.close();
  }

  private void warmUp() {
    if (warm) {
      return;
    }
    MemorySegment small = arena.allocate(PeakLoops.STREAMS * CHUNK_BYTES, BYTE_ALIGNMENT);
    long end = System.nanoTime() + WARM_UP_NANOS;
    while (System.nanoTime() < end) {
      readAll(small);
    }
    end = System.nanoTime() + WARM_UP_NANOS;
    while (System.nanoTime() < end) {
      sink.addAndGet(Float.floatToRawIntBits(PeakLoops.multiplyAdd(FMA_ROUNDS / 100, 0.5f)));
    }
    multiplyAdds(FMA_CALLS / 10);
    warm = true;
  }

  private void allocate() {
    if (buffers[0] != null) {
      return;
    }
    long unit = PeakLoops.STREAMS * CHUNK_BYTES;
    long bytes = Math.max(TOTAL_BYTES / buffers.length, MIN_BUFFER_BYTES) / unit * unit;
    team.run(
        buffers.length,
        thread -> {
          buffers[thread] = arena.allocate(bytes, BYTE_ALIGNMENT);
          buffers[thread].fill((byte) (thread + 1));
        });
  }

  private void readAll(MemorySegment buffer) {
    long stream = buffer.byteSize() / PeakLoops.STREAMS;
    int sum = 0;
    for (long from = 0; from < stream; from += CHUNK_BYTES) {
      sum += PeakLoops.read(buffer, from, CHUNK_BYTES);
    }
    sink.addAndGet(sum);
  }

  private void multiplyAdds(int calls) {
    float sum = 0;
    for (int i = 0; i < calls; i++) {
      sum += PeakLoops.multiplyAdd(FMA_ROUNDS, 0.5f);
    }
    sink.addAndGet(Float.floatToRawIntBits(sum));
  }
}
