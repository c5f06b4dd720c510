package dev.caravan.coordinator.text;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.OptionalInt;

/** Turns a prompt into the ids that a model starts from. */
public final class Prompts {
  private Prompts() {}

  /**
   * Puts the model's begin token before the text's tokens, unless the text itself starts with it.
   *
   * @throws ClusterException INVALID_REQUEST if nothing is left: no text and no begin token
   */
  public static int[] encode(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text, SpecialTokens.PARSED);
    int[] prompt = withBegin(tokenizer.vocabulary().bosId(), ids);
    if (prompt.length == 0) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "the prompt is empty and the model has no begin token; give at least one token");
    }
    return prompt;
  }

  /** Puts the begin token first, if there is one and it is not there already. */
  public static int[] withBegin(OptionalInt bosId, int[] ids) {
    if (bosId.isEmpty() || (ids.length > 0 && ids[0] == bosId.getAsInt())) {
      return ids;
    }
    int[] prompt = new int[ids.length + 1];
    prompt[0] = bosId.getAsInt();
    System.arraycopy(ids, 0, prompt, 1, ids.length);
    return prompt;
  }
}
