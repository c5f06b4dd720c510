package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.coordinator.text.StreamingDecoder;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns the ids of a generation into text and ends it at a stop text. Confined to the engine. */
final class TextGeneration implements GenerationListener {
  private static final Logger LOG = LoggerFactory.getLogger(TextGeneration.class);

  private final StreamingDecoder decoder;
  private final StopTexts stops;
  private final Set<Integer> endIds;
  private final TextListener listener;
  private final Deque<ScoredToken> unsent = new ArrayDeque<>();
  private int decodedChars;
  private int sentChars;
  private boolean failed;

  TextGeneration(TextRequest request, TextListener listener) {
    this.decoder = request.decoder();
    this.stops = new StopTexts(request.stops());
    this.endIds = request.generation().endIds();
    this.listener = listener;
  }

  @Override
  public void onPrompt(List<TokenLogprobs> prompt) {
    guard(() -> listener.onPrompt(prompt));
  }

  @Override
  public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
    if (endIds.contains(id)) {
      return true;
    }
    guard(() -> {
      int start = decodedChars;
      String text = decoder.accept(id);
      decodedChars += text.length();
      if (logprobs != null) {
        unsent.add(new ScoredToken(logprobs, start));
      }
      send(stops.accept(text));
    });
    return !stops.found() && !failed;
  }

  @Override
  public void onEnd(End end) {
    guard(() -> {
      if (!stops.found()) {
        finish();
      }
      if (failed) {
        return;
      }
      if (end.reason() == EndReason.CANCELLED) {
        listener.onError(new ClusterException(ErrorCode.CANCELLED, "the generation was cancelled"));
      } else {
        listener.onEnd(end);
      }
    });
  }

  @Override
  public void onError(ClusterException error) {
    guard(() -> listener.onError(error));
  }

  private void finish() {
    String rest = stops.accept(decoder.flush());
    sentChars += rest.length();
    String held = stops.found() ? "" : stops.flush();
    sentChars += held.length();
    List<ScoredToken> tokens = new ArrayList<>(unsent);
    unsent.clear();
    if (!rest.isEmpty() || !held.isEmpty() || !tokens.isEmpty()) {
      listener.onPiece(new TextListener.Piece(rest + held, tokens));
    }
  }

  private void send(String text) {
    sentChars += text.length();
    if (!text.isEmpty()) {
      List<ScoredToken> tokens = new ArrayList<>();
      while (!unsent.isEmpty() && unsent.getFirst().textStart() < sentChars) {
        tokens.add(unsent.removeFirst());
      }
      listener.onPiece(new TextListener.Piece(text, tokens));
    }
  }

  /** The engine's thread serves everybody: a defect in one answer must not end it. */
  private void guard(Runnable action) {
    if (failed) {
      return;
    }
    try {
      action.run();
    } catch (RuntimeException e) {
      failed = true;
      LOG.error("action=answer", e);
      listener.onError(
          e instanceof ClusterException known
              ? known
              : new ClusterException(ErrorCode.INTERNAL, "unexpected " + e, e));
    }
  }
}
