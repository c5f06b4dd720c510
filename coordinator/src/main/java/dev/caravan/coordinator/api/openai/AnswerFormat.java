package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of one answer, whole or in parts; the usage is not in it yet. Confined to the lock of
 * its choices.
 */
interface AnswerFormat {

  /** The part that begins a choice; null if it begins with its text. */
  @Nullable ObjectNode first(int choice);

  /** A part of a choice; none, one or more parts of the answer. */
  List<ObjectNode> part(int choice, ChoiceText text);

  /** The parts that end a choice. */
  List<ObjectNode> last(int choice, String finishReason);

  /** The part of a stream that only says what it cost. */
  ObjectNode usage();

  /** A whole answer. */
  ObjectNode whole(List<ChoiceText> choices);
}
