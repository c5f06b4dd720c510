package dev.caravan.worker.tensor;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Memory of the packed weights of a shard: one region for all matrices, one after the other.
 *
 * <p>It comes from the C library's calloc: an arena would write zeros to all of it at once, on one
 * thread. This way a page is first touched by the thread that packs weights into it, so it lies in
 * the memory of that thread's NUMA node, and one large region is all huge pages where the C library
 * asks for them. Confined to one thread; the segments are not.
 */
public final class WeightMemory implements SegmentAllocator {
  private static final MethodHandle CALLOC =
      handle(
          "calloc",
          FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      handle("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

  private final SegmentAllocator slices;

  private WeightMemory(MemorySegment region) {
    this.slices = SegmentAllocator.slicingAllocator(region);
  }

  /**
   * Reserves memory; it reads as zeros.
   *
   * @param arena frees the memory when it closes
   * @param bytes of all matrices together, each a multiple of 64
   * @throws ClusterException UNPLACEABLE if the system refuses
   */
  public static WeightMemory reserve(Arena arena, long bytes) {
    int line = WeightLayout.LINE_BYTES;
    MemorySegment start = calloc(bytes + line);
    MemorySegment region = start.reinterpret(bytes + line, arena, any -> free(start));
    long padding = -start.address() & (line - 1);
    return new WeightMemory(region.asSlice(padding, bytes));
  }

  @Override
  public MemorySegment allocate(long byteSize, long byteAlignment) {
    return slices.allocate(byteSize, byteAlignment);
  }

  private static MemorySegment calloc(long bytes) {
    MemorySegment start;
    try {
      start = (MemorySegment) CALLOC.invokeExact(1L, bytes);
    } catch (Throwable e) {
      throw new AssertionError("calloc throws nothing", e);
    }
    if (start.equals(MemorySegment.NULL)) {
      throw new ClusterException(
          ErrorCode.UNPLACEABLE,
          "the system grants no %d MiB for the weights of this worker; use more workers, or machines with more memory"
              .formatted(bytes >> 20));
    }
    return start;
  }

  private static void free(MemorySegment start) {
    try {
      FREE.invokeExact(start);
    } catch (Throwable e) {
      throw new AssertionError("free throws nothing", e);
    }
  }

  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }
}
