package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponseWriter;
import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.Replies;
import dev.caravan.coordinator.api.text.Reply;
import dev.caravan.coordinator.api.text.ScoredToken;
import dev.caravan.coordinator.api.text.TextListener;
import dev.caravan.coordinator.api.text.Usage;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Answers once all choices are complete. */
final class WholeReply implements Reply {
  private final AnswerFormat format;
  private final HttpResponseWriter out;
  private final List<Collected> choices;

  private static final class Collected {
    private final StringBuilder text = new StringBuilder();
    private final List<ScoredToken> tokens = new ArrayList<>();
    private Optional<List<TokenLogprobs>> prompt = Optional.empty();
    private String finishReason = "";
  }

  WholeReply(AnswerFormat format, HttpResponseWriter out, int choices) {
    this.format = format;
    this.out = out;
    this.choices = Stream.generate(Collected::new).limit(choices).toList();
  }

  @Override
  public void begin() {}

  @Override
  public void prompt(int choice, List<TokenLogprobs> prompt) {
    choices.get(choice).prompt = Optional.of(prompt);
  }

  @Override
  public void piece(int choice, TextListener.Piece piece) {
    choices.get(choice).text.append(piece.text());
    choices.get(choice).tokens.addAll(piece.tokens());
  }

  @Override
  public void end(int choice, EndReason reason) {
    choices.get(choice).finishReason = finishReason(reason);
  }

  @Override
  public void done(Usage usage) {
    ObjectNode answer =
        format.whole(
            choices.stream()
                .map(each ->
                    new ChoiceText(
                        each.text.toString(), each.tokens, each.prompt, each.finishReason))
                .toList());
    AnswerHead.addUsage(answer, usage);
    out.close(Replies.ok(answer));
  }

  @Override
  public void failed(ClusterException error) {
    out.close(Replies.error(ApiError.of(error)));
  }

  static String finishReason(EndReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      case CANCELLED -> throw new IllegalStateException("a cancelled choice has no answer");
    };
  }
}
