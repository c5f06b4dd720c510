package dev.caravan.coordinator.generate;

/**
 * What an engine does at one moment; counts since its start where not said otherwise.
 *
 * @param state whether it takes requests
 * @param running generations in the current batch
 * @param waiting generations in the queue
 * @param kvBlocksUsed KV blocks that running generations hold now
 * @param kvBlocksCached KV blocks that only the prefix cache holds now
 * @param kvBlocksTotal KV blocks of the cluster
 * @param preemptions generations that gave their blocks back and were computed again
 * @param prefixQueriedTokens prompt tokens that were looked up in the prefix cache
 * @param prefixHitTokens prompt tokens that were found there
 * @param promptTokens prompt tokens computed
 * @param generatedTokens tokens generated
 * @param recoveries times that a failed cluster came back
 */
public record EngineStatus(
    State state,
    int running,
    int waiting,
    int kvBlocksUsed,
    int kvBlocksCached,
    int kvBlocksTotal,
    long preemptions,
    long prefixQueriedTokens,
    long prefixHitTokens,
    long promptTokens,
    long generatedTokens,
    long recoveries) {

  /** Whether an engine takes requests. */
  public enum State {
    /** Requests are taken. */
    SERVING,
    /** What was accepted is finished; nothing new is taken. */
    DRAINING,
    /**
     * The cluster failed and is being brought back: nothing new is taken, what was accepted waits
     * and goes on afterwards.
     */
    RECOVERING,
    /** The engine failed, or its cluster did and does not come back: nothing runs. */
    DEGRADED,
    /** Closed. */
    STOPPED
  }

  /** Returns the same with more generations in the queue. */
  EngineStatus withQueued(int more) {
    return new EngineStatus(
        state,
        running,
        waiting + more,
        kvBlocksUsed,
        kvBlocksCached,
        kvBlocksTotal,
        preemptions,
        prefixQueriedTokens,
        prefixHitTokens,
        promptTokens,
        generatedTokens,
        recoveries);
  }

  /** Returns the same in another state. */
  EngineStatus withState(State other) {
    return new EngineStatus(
        other,
        running,
        waiting,
        kvBlocksUsed,
        kvBlocksCached,
        kvBlocksTotal,
        preemptions,
        prefixQueriedTokens,
        prefixHitTokens,
        promptTokens,
        generatedTokens,
        recoveries);
  }
}
