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

  private static BlockKey key(int id) {
    return BlockKey.START.next(new int[] {id}, 0, 1);
  }

  @Test
  void publishedBlockIsSharedUntilItsLastUserLetsGo() {
    BlockAllocator allocator = new BlockAllocator(2);
    int block = allocator.allocate();
    allocator.publish(block, key(1));
    assertThat(allocator.share(key(1))).isEqualTo(block);
    assertThat(allocator.share(key(2))).isNull();
    allocator.release(block);
    assertThat(allocator.freeBlocks()).isEqualTo(1);
    assertThat(allocator.cachedBlocks()).isZero();
    allocator.release(block);
    assertThat(allocator.freeBlocks()).isEqualTo(2);
    assertThat(allocator.cachedBlocks()).isEqualTo(1);
    assertThat(allocator.share(key(1))).isEqualTo(block);
    assertThat(allocator.freeBlocks()).isEqualTo(1);
  }

  @Test
  void evictsTheBlockThatWasUsedLongestAgo() {
    BlockAllocator allocator = new BlockAllocator(3);
    for (int id = 0; id < 3; id++) {
      allocator.publish(allocator.allocate(), key(id));
    }
    for (int block : new int[] {0, 1, 2}) {
      allocator.release(block);
    }
    assertThat(allocator.share(key(0))).isZero();
    allocator.release(0);
    assertThat(allocator.allocate()).isEqualTo(1);
    assertThat(allocator.share(key(1))).isNull();
    assertThat(allocator.allocate()).isEqualTo(2);
    assertThat(allocator.share(key(0))).isZero();
    assertThat(allocator.freeBlocks()).isZero();
    assertThatThrownBy(allocator::allocate).isInstanceOf(ClusterException.class);
  }

  @Test
  void blockThatIsInUseIsNeverEvicted() {
    BlockAllocator allocator = new BlockAllocator(1);
    allocator.publish(allocator.allocate(), key(1));
    assertThatThrownBy(allocator::allocate).isInstanceOf(ClusterException.class);
  }

  @Test
  void secondBlockWithTheSameTextIsNotKept() {
    BlockAllocator allocator = new BlockAllocator(2);
    int first = allocator.allocate();
    int second = allocator.allocate();
    allocator.publish(first, key(1));
    allocator.publish(second, key(1));
    allocator.release(first);
    allocator.release(second);
    assertThat(allocator.cachedBlocks()).isEqualTo(1);
    assertThat(allocator.allocate()).isEqualTo(second);
    assertThat(allocator.share(key(1))).isEqualTo(first);
  }

  @Test
  void evictedBlockIsFoundByItsNextTextOnly() {
    BlockAllocator allocator = new BlockAllocator(1);
    allocator.publish(allocator.allocate(), key(1));
    allocator.release(0);
    allocator.allocate();
    allocator.publish(0, key(2));
    assertThat(allocator.share(key(1))).isNull();
    assertThat(allocator.share(key(2))).isZero();
  }

  @Test
  void keysDifferWhereAnyIdBeforeDiffers() {
    int[] ids = {1, 2, 3, 4};
    BlockKey first = BlockKey.START.next(ids, 0, 2);
    assertThat(first).isEqualTo(BlockKey.START.next(new int[] {0, 1, 2}, 1, 3));
    assertThat(first.next(ids, 2, 4)).isNotEqualTo(BlockKey.START.next(ids, 2, 4));
    assertThat(first.next(ids, 2, 4)).isNotEqualTo(key(1).next(ids, 2, 4));
    assertThat(first).isNotEqualTo(BlockKey.START.next(new int[] {2, 1}, 0, 2));
  }
}
