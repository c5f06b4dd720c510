package dev.caravan.coordinator.structure;

/** A piece of an answer that may hold tool calls. */
public sealed interface OutputDelta {

  /** Text that is no call; never empty. */
  record Content(String text) implements OutputDelta {}

  /**
   * A call begins.
   *
   * @param index of the call in this answer, from 0
   */
  record CallStart(int index, String id, String name) implements OutputDelta {}

  /**
   * The next piece of a call's arguments: all pieces together are exactly one JSON object.
   *
   * @param json never empty
   */
  record CallArguments(int index, String json) implements OutputDelta {}
}
