package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.worker.collective.PeerId;
import java.util.List;

/**
 * The workers of one epoch as one of them sees them.
 *
 * @param epoch incarnation of the cluster
 * @param stage of this worker
 * @param rank of this worker
 * @param members all workers, this one included
 */
public record ExchangeGrid(int epoch, int stage, int rank, List<Member> members) {

  /** Where a worker of the grid listens. */
  public record Member(int stage, int rank, String host, int port) {
    PeerId id() {
      return new PeerId(stage, rank, host + ":" + port);
    }
  }

  public ExchangeGrid {
    members = List.copyOf(members);
  }

  int stages() {
    return members.stream().mapToInt(Member::stage).max().orElse(0) + 1;
  }

  int ranks() {
    return members.stream().mapToInt(Member::rank).max().orElse(0) + 1;
  }

  /**
   * @throws ClusterException INTERNAL if the grid has no such worker
   */
  Member member(int memberStage, int memberRank) {
    for (Member member : members) {
      if (member.stage() == memberStage && member.rank() == memberRank) {
        return member;
      }
    }
    throw new ClusterException(
        ErrorCode.INTERNAL,
        "no worker for stage %d rank %d among %d members of epoch %d"
            .formatted(memberStage, memberRank, members.size(), epoch));
  }
}
