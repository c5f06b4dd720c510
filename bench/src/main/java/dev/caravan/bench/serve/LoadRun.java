package dev.caravan.bench.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.bench.serve.LoadSettings.Planned;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.coordinator.client.EventStream;
import dev.caravan.model.error.ClusterException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Puts a load on a server, each request on a virtual thread of its own. For one run. */
public final class LoadRun {
  /** More than that wait for each other, as an open loop should not; a client has limits too. */
  private static final int MAX_IN_FLIGHT = 4096;

  private final ApiClient client;
  private final LoadSettings settings;
  private final String model;
  private final ConcurrentLinkedQueue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger finished = new AtomicInteger();
  private final AtomicLong pieces = new AtomicLong();
  private final long startNanos = System.nanoTime();

  /**
   * @param model id, as the server names it
   */
  public LoadRun(ApiClient client, LoadSettings settings, String model) {
    this.client = client;
    this.settings = settings;
    this.model = model;
  }

  /** How far a run is. Safe for any thread. */
  public String progress() {
    double seconds = now() / 1e9;
    return "%d of %d requests done, %d running, %.0f tokens/s"
        .formatted(finished.get(), settings.requests(), running.get(), pieces.get() / seconds);
  }

  /** Runs until all requests ended, or the time is over and those that were started ended. */
  public LoadFigures run() throws InterruptedException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      if (settings.ratePerSecond().isPresent()) {
        open(threads);
      } else {
        closed(threads);
      }
    }
    return new LoadFigures(List.copyOf(outcomes), now());
  }

  private void open(ExecutorService threads) throws InterruptedException {
    LoadSettings.Source source = new LoadSettings.Source(settings);
    Semaphore slots = new Semaphore(MAX_IN_FLIGHT);
    while (source.hasNext()) {
      Planned planned = source.next();
      if (planned.startNanos() > settings.duration().toNanos()) {
        return;
      }
      TimeUnit.NANOSECONDS.sleep(planned.startNanos() - now());
      slots.acquire();
      threads.execute(() -> {
        send(planned, planned.startNanos());
        slots.release();
      });
    }
  }

  private void closed(ExecutorService threads) {
    LoadSettings.Source source = new LoadSettings.Source(settings);
    for (int user = 0; user < settings.concurrency(); user++) {
      threads.execute(() -> {
        for (Optional<Planned> next = next(source); next.isPresent(); next = next(source)) {
          send(next.get(), now());
        }
      });
    }
  }

  private Optional<Planned> next(LoadSettings.Source source) {
    synchronized (source) {
      return source.hasNext() && now() < settings.duration().toNanos()
          ? Optional.of(source.next())
          : Optional.empty();
    }
  }

  private void send(Planned planned, long sinceNanos) {
    running.incrementAndGet();
    Outcome outcome;
    try (EventStream stream =
        client.stream("/v1/completions", body(planned), settings.requestTimeout())) {
      outcome = hear(stream, sinceNanos);
    } catch (ClusterException e) {
      outcome = Outcome.failed(sinceNanos, now(), e.code() + ": " + e.getMessage());
    }
    outcomes.add(outcome);
    running.decrementAndGet();
    finished.incrementAndGet();
  }

  private ObjectNode body(Planned planned) {
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("model", model);
    ArrayNode prompt = body.putArray("prompt");
    for (int id : planned.promptIds()) {
      prompt.add(id);
    }
    body.put("max_tokens", planned.outputTokens()).put("temperature", 0).put("ignore_eos", true);
    body.put("stream", true).putObject("stream_options").put("include_usage", true);
    return body;
  }

  private Outcome hear(EventStream stream, long sinceNanos) {
    List<Long> arrivals = new ArrayList<>();
    JsonNode usage = JsonNodeFactory.instance.missingNode();
    for (Optional<EventStream.Event> event = stream.next(settings.requestTimeout());
        event.isPresent();
        event = stream.next(settings.requestTimeout())) {
      JsonNode json = event.get().json();
      if (!json.path("choices").path(0).path("text").asText("").isEmpty()) {
        arrivals.add(event.get().nanos() - startNanos);
        pieces.incrementAndGet();
      }
      usage = json.hasNonNull("usage") ? json.get("usage") : usage;
    }
    if (arrivals.isEmpty()) {
      return Outcome.failed(sinceNanos, now(), "the answer was empty");
    }
    long[] gaps = new long[arrivals.size() - 1];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = arrivals.get(i + 1) - arrivals.get(i);
    }
    return new Outcome(
        sinceNanos,
        arrivals.getFirst(),
        arrivals.getLast(),
        gaps,
        usage.path("prompt_tokens").asInt(),
        usage.path("prompt_tokens_details").path("cached_tokens").asInt(),
        usage.path("completion_tokens").asInt(arrivals.size()),
        "");
  }

  private long now() {
    return System.nanoTime() - startNanos;
  }
}
