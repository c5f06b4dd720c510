package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.sample.Sampler;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk.Logits;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The continuation of one prompt: samples tokens until an end token, the wanted length, the end of
 * the context or its hearer's word. Confined to the generation loop.
 */
final class TokenGeneration implements Sequence.AnswerConsumer {

  /** Hears the tokens. */
  interface TokenSink {
    /** Hears the prompt's probabilities, if they were asked for, before the first token. */
    default void onPrompt(List<TokenLogprobs> prompt) {}

    /** Hears a token; returns false to end. */
    boolean onToken(int id, @Nullable TokenLogprobs logprobs);
  }

  private final EngineRequest request;
  private final TokenSink sink;
  private final Sampler sampler;
  private final @Nullable TokenScores scores;
  private final List<TokenLogprobs> promptLogprobs = new ArrayList<>();
  private final int maxTokens;
  private int outputTokens;
  private EndReason endReason = EndReason.LENGTH;

  /**
   * @param contextLength most ids of prompt and output together that are computed
   */
  TokenGeneration(EngineRequest request, int contextLength, TokenSink sink) {
    this.request = request;
    this.sink = sink;
    this.sampler = new Sampler(request.sampling(), request.prompt(), request.constraint());
    this.scores = request.topLogprobs() < 0 ? null : new TokenScores(request.topLogprobs());
    this.maxTokens = Math.min(request.maxTokens(), contextLength - request.prompt().length + 1);
  }

  /** Which rows of the prompt have to answer. */
  Logits promptLogits() {
    return scores != null && request.promptLogprobs() ? Logits.ALL : Logits.LAST;
  }

  @Override
  public RowQuery query(int position) {
    if (!isLastOfPrompt(position) && isInPrompt(position)) {
      return scores().query(request.prompt()[position + 1]);
    }
    if (maxTokens == 0) {
      return TokenScores.NOTHING;
    }
    return scores == null ? sampler.query() : scores.query(sampler.query());
  }

  @Override
  public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    if (!isLastOfPrompt(position) && isInPrompt(position)) {
      int id = request.prompt()[position + 1];
      promptLogprobs.add(scores().ofKnown(id, answer));
      return NONE;
    }
    if (isLastOfPrompt(position) && promptLogits() == Logits.ALL) {
      sink.onPrompt(List.copyOf(promptLogprobs));
      promptLogprobs.clear();
    }
    return maxTokens == 0 ? END : sample(position, answer, allLogits);
  }

  private int sample(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    int id = sampler.sample(position, answer, allLogits);
    outputTokens++;
    boolean goesOn =
        sink.onToken(id, scores == null ? null : scores.ofChosen(id, answer, allLogits));
    if (!goesOn || request.endIds().contains(id)) {
      endReason = EndReason.STOP;
      return END;
    }
    return outputTokens >= maxTokens ? END : id;
  }

  private boolean isInPrompt(int position) {
    return position < request.prompt().length;
  }

  private boolean isLastOfPrompt(int position) {
    return position == request.prompt().length - 1;
  }

  private TokenScores scores() {
    if (scores == null) {
      throw new IllegalStateException("a row of the prompt answers, and nobody asked for it");
    }
    return scores;
  }

  int outputTokens() {
    return outputTokens;
  }

  /** Why it ended, once it has. */
  EndReason endReason() {
    return endReason;
  }
}
