package dev.caravan.coordinator.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import org.junit.jupiter.api.Test;

class BlockAllocatorTest {
  @Test
  void handsOutTheLowestBlocksFirst() {
    BlockAllocator allocator = new BlockAllocator(3);
    assertThat(new int[] {allocator.allocate(), allocator.allocate(), allocator.allocate()})
        .containsExactly(0, 1, 2);
  }

  @Test
  void releasedBlockIsHandedOutAgain() {
    BlockAllocator allocator = new BlockAllocator(2);
    allocator.allocate();
    int second = allocator.allocate();
    allocator.release(second);
    assertThat(allocator.freeBlocks()).isEqualTo(1);
    assertThat(allocator.allocate()).isEqualTo(second);
    assertThat(allocator.freeBlocks()).isZero();
  }

  @Test
  void saysHowManyBlocksThereAreWhenNoneIsFree() {
    BlockAllocator allocator = new BlockAllocator(1);
    allocator.allocate();
    assertThatThrownBy(allocator::allocate)
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OVERLOADED))
        .hasMessageContaining("all 1 KV blocks");
  }

  @Test
  void refusesMoreReleasesThanBlocks() {
    BlockAllocator allocator = new BlockAllocator(1);
    assertThatThrownBy(() -> allocator.release(0)).isInstanceOf(IllegalStateException.class);
  }
}
