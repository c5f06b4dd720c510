package dev.caravan.proto.wire;

import java.util.ArrayList;
import java.util.List;

/** Frames to receive into, handed back by whoever used them up. Thread-safe. */
public final class FramePool {
  private static final int MAX_FRAMES = 64;

  private final long maxBytes;
  private final List<ExchangeFrame> free = new ArrayList<>(MAX_FRAMES);
  private long freeBytes;

  /**
   * @param maxBytes kept for reuse; frames beyond it are left to the garbage collector
   */
  public FramePool(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Returns the smallest free frame of that capacity, or a new one. */
  public synchronized ExchangeFrame take(int capacityBytes) {
    int best = -1;
    for (int i = 0; i < free.size(); i++) {
      int capacity = free.get(i).capacity();
      if (capacity >= capacityBytes && (best < 0 || capacity < free.get(best).capacity())) {
        best = i;
      }
    }
    if (best < 0) {
      return new ExchangeFrame(capacityBytes);
    }
    ExchangeFrame frame = free.get(best);
    free.set(best, free.getLast());
    free.removeLast();
    freeBytes -= frame.capacity();
    return frame;
  }

  /** Takes a frame back; its user must not touch it any more. */
  public synchronized void giveBack(ExchangeFrame frame) {
    if (free.size() < MAX_FRAMES && freeBytes + frame.capacity() <= maxBytes) {
      free.add(frame);
      freeBytes += frame.capacity();
    }
  }
}
