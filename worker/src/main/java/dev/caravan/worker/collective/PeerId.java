package dev.caravan.worker.collective;

/**
 * Another worker of the grid.
 *
 * @param stage pipeline stage
 * @param rank tensor-parallel rank
 * @param address host:port, for messages
 */
public record PeerId(int stage, int rank, String address) {

  @Override
  public String toString() {
    return "worker of stage %d rank %d at %s".formatted(stage, rank, address);
  }
}
