package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.text.Reply;
import dev.caravan.coordinator.api.text.TextListener;
import dev.caravan.coordinator.api.text.Usage;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import java.util.List;
import java.util.Optional;

/** Answers in parts, as they come. */
final class StreamReply implements Reply {
  private final AnswerFormat format;
  private final EventStream events;
  private final boolean withUsage;
  private final int choices;

  /**
   * @param choices how many
   * @param withUsage true: the last part says what it cost
   */
  StreamReply(AnswerFormat format, EventStream events, int choices, boolean withUsage) {
    this.format = format;
    this.events = events;
    this.withUsage = withUsage;
    this.choices = choices;
  }

  @Override
  public void begin() {
    events.open();
    for (int choice = 0; choice < choices; choice++) {
      ObjectNode first = format.first(choice);
      if (first != null) {
        send(first);
      }
    }
  }

  @Override
  public void prompt(int choice, List<TokenLogprobs> prompt) {
    sendAll(format.part(choice, new ChoiceText("", List.of(), Optional.of(prompt), "")));
  }

  @Override
  public void piece(int choice, TextListener.Piece piece) {
    sendAll(
        format.part(choice, new ChoiceText(piece.text(), piece.tokens(), Optional.empty(), "")));
  }

  @Override
  public void end(int choice, EndReason reason) {
    sendAll(format.last(choice, WholeReply.finishReason(reason)));
  }

  @Override
  public void done(Usage usage) {
    if (withUsage) {
      ObjectNode last = format.usage();
      AnswerHead.addUsage(last, usage);
      events.send(last);
    }
    events.end();
  }

  @Override
  public void failed(ClusterException error) {
    events.fail(ApiError.of(error));
  }

  private void sendAll(List<ObjectNode> parts) {
    parts.forEach(this::send);
  }

  private void send(ObjectNode part) {
    if (withUsage) {
      part.putNull("usage");
    }
    events.send(part);
  }
}
