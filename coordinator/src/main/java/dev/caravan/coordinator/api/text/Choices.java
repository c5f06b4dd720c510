package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.Engine;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import java.util.ArrayList;
import java.util.List;

/** The generations of one request: they start, are cancelled and fail together. Thread-safe. */
public final class Choices {
  private final Reply reply;
  private final List<Engine.Handle> handles = new ArrayList<>();
  private final List<Runnable> early = new ArrayList<>();
  private boolean open;
  private boolean over;
  private boolean cancelled;
  private int running;
  private Usage usage = Usage.NONE;

  public Choices(Reply reply) {
    this.reply = reply;
  }

  /**
   * Hands all of them to the engine. The reply hears nothing before all are accepted.
   *
   * @throws ClusterException the engine's refusal; those that were accepted are cancelled then
   */
  public void start(Engine engine, List<TextRequest> requests) {
    synchronized (this) {
      running = requests.size();
    }
    try {
      for (int i = 0; i < requests.size(); i++) {
        TextRequest request = requests.get(i);
        Outlet outlet = new Outlet(i, request.countsPrompt());
        // Outside the lock: the engine may call the listener while it holds a lock of its own.
        add(engine.submit(request.generation(), new TextGeneration(request, outlet)));
      }
    } catch (ClusterException e) {
      cancel();
      throw e;
    }
    synchronized (this) {
      open = true;
      reply.begin();
      List.copyOf(early).forEach(this::deliver);
      early.clear();
    }
  }

  /** Ends all of them: the caller is gone. */
  public void cancel() {
    List<Engine.Handle> started;
    synchronized (this) {
      over = true;
      cancelled = true;
      started = List.copyOf(handles);
    }
    started.forEach(Engine.Handle::cancel);
  }

  private void add(Engine.Handle handle) {
    boolean late;
    synchronized (this) {
      handles.add(handle);
      late = cancelled;
    }
    if (late) {
      handle.cancel();
    }
  }

  private synchronized void deliver(Runnable event) {
    if (!open) {
      early.add(event);
    } else if (!over) {
      event.run();
    }
  }

  /** One choice, as the engine's thread hears it. */
  private final class Outlet implements TextListener {
    private final int choice;
    private final boolean countsPrompt;

    Outlet(int choice, boolean countsPrompt) {
      this.choice = choice;
      this.countsPrompt = countsPrompt;
    }

    @Override
    public void onPrompt(List<TokenLogprobs> prompt) {
      deliver(() -> reply.prompt(choice, prompt));
    }

    @Override
    public void onPiece(Piece piece) {
      deliver(() -> reply.piece(choice, piece));
    }

    @Override
    public void onEnd(GenerationListener.End end) {
      deliver(() -> {
        usage = usage.plus(end, countsPrompt);
        reply.end(choice, end.reason());
        running--;
        if (running == 0) {
          over = true;
          reply.done(usage);
        }
      });
    }

    @Override
    public void onError(ClusterException error) {
      deliver(() -> {
        over = true;
        reply.failed(error);
      });
      cancel();
    }
  }
}
