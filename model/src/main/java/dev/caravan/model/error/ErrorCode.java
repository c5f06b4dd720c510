package dev.caravan.model.error;

/** Why an operation failed, by blame: the caller, the capacity, the cluster, or a defect. */
public enum ErrorCode {
  /** The caller sent something that can never work: a flag, a file, a request. */
  INVALID_REQUEST,
  /** The prompt does not fit the context. */
  CONTEXT_TOO_LONG,
  /** A bounded queue is full; trying again later helps. */
  OVERLOADED,
  /** Workers are still loading, or one is being replaced. */
  MODEL_NOT_READY,
  /** No plan puts this model on these workers. */
  UNPLACEABLE,
  /** A worker broke its stream, missed its lease or a step deadline. */
  WORKER_LOST,
  /** A message of an earlier epoch; never reaches a user. */
  STALE_EPOCH,
  /** An operation did not end in time. */
  DEADLINE_EXCEEDED,
  /** The caller gave up. */
  CANCELLED,
  /** A checkpoint file is damaged, incomplete or not one that is supported. */
  CHECKPOINT_CORRUPT,
  /** The two sides speak different versions of the protocol or hold different models. */
  INCOMPATIBLE,
  /** A defect of Caravan itself. */
  INTERNAL;

  /** Returns true if the input (flag, file, request) is to blame, not the cluster. */
  public boolean isBadInput() {
    return switch (this) {
      case INVALID_REQUEST, CONTEXT_TOO_LONG, UNPLACEABLE, CHECKPOINT_CORRUPT, INCOMPATIBLE -> true;
      case OVERLOADED,
          MODEL_NOT_READY,
          WORKER_LOST,
          STALE_EPOCH,
          DEADLINE_EXCEEDED,
          CANCELLED,
          INTERNAL ->
          false;
    };
  }
}
