package dev.caravan.coordinator.sample;

import java.util.BitSet;

/** Rules tokens out, from state to state: a grammar over tokens. Confined to one sequence. */
public interface TokenConstraint {

  /**
   * Returns the ids that may come next, end ids included where the text may end; never empty. Valid
   * until the next {@link #accept}; not to be changed.
   */
  BitSet allowed();

  /**
   * Goes on to the state after a token.
   *
   * @param id one of the allowed ids
   */
  void accept(int id);
}
