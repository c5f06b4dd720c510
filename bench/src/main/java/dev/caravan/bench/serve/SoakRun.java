package dev.caravan.bench.serve;

import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Puts a mixed load on a server for a long time and watches what the server says of itself. For one
 * run.
 */
public final class SoakRun {
  private static final Duration SAMPLE_TIMEOUT = Duration.ofSeconds(10);
  private static final long SAMPLE_MILLIS = 1000;
  private static final int IDLE_SECONDS = 60;
  private static final long OVERLOADED_MILLIS = 500;
  private static final int MAX_KINDS_OF_FAILURE = 100;

  private final ApiClient client;
  private final SoakSettings settings;
  private final String model;
  private final Map<SoakUser.End, Long> ends = new ConcurrentHashMap<>();
  private final AtomicLong overloaded = new AtomicLong();
  private final Map<String, Long> failures = new ConcurrentHashMap<>();
  private final long startNanos = System.nanoTime();

  /** What came of it. */
  public record Outcome(SoakCounts counts, SoakVerdict verdict) {}

  /**
   * @param model id, as the server names it
   */
  public SoakRun(ApiClient client, SoakSettings settings, String model) {
    this.client = client;
    this.settings = settings;
    this.model = model;
  }

  /** How far a run is. Safe for any thread. */
  public String progress() {
    return "%d of %d s; %s"
        .formatted(
            Math.min(elapsed().toSeconds(), settings.duration().toSeconds()),
            settings.duration().toSeconds(),
            counts().describe());
  }

  /** Runs for the time that is set, waits until the server is idle, and judges. */
  public Outcome run() throws InterruptedException {
    List<ServerSample> samples = load();
    ServerSample end = sample();
    for (int i = 0; i < IDLE_SECONDS && !(end.isIdle() && end.kvUsage() == 0); i++) {
      TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
      end = sample();
    }
    SoakCounts counts = counts();
    return new Outcome(counts, SoakVerdict.of(counts, samples, end));
  }

  /** Returns what the server said of itself under the load. */
  private List<ServerSample> load() throws InterruptedException {
    List<ServerSample> samples = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(settings.seed());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < settings.concurrency(); i++) {
        SoakUser user = new SoakUser(client, settings, model, random.split());
        threads.execute(() -> use(user));
      }
      try {
        while (!isOver()) {
          samples.add(sample());
          TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
        }
      } catch (ClusterException | InterruptedException e) {
        threads.shutdownNow(); // nobody waits for answers of a server that is gone
        throw e;
      }
    }
    return samples;
  }

  private void use(SoakUser user) {
    while (!isOver()) {
      try {
        ends.merge(user.next(), 1L, Long::sum);
      } catch (ClusterException e) {
        if (!pause(e)) {
          return;
        }
      }
    }
  }

  /** Counts a failure and waits a moment, as the server may be in trouble; false if interrupted. */
  private boolean pause(ClusterException error) {
    if (error.code() == ErrorCode.OVERLOADED) {
      overloaded.incrementAndGet();
    } else if (failures.size() < MAX_KINDS_OF_FAILURE) {
      failures.merge(error.code() + ": " + error.getMessage(), 1L, Long::sum);
    }
    try {
      TimeUnit.MILLISECONDS.sleep(OVERLOADED_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private ServerSample sample() {
    return ServerSample.parse(client.get("/metrics", SAMPLE_TIMEOUT));
  }

  private SoakCounts counts() {
    return new SoakCounts(
        ends.getOrDefault(SoakUser.End.ANSWERED, 0L),
        ends.getOrDefault(SoakUser.End.HUNG_UP, 0L),
        ends.getOrDefault(SoakUser.End.REFUSED, 0L),
        overloaded.get(),
        failures);
  }

  private boolean isOver() {
    return elapsed().compareTo(settings.duration()) >= 0;
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }
}
