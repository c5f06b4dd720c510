package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.schedule.Sequence;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One generation alone, with its output and its times. Confined to the generation loop. */
public final class Generation {
  private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

  /**
   * What to generate.
   *
   * @param prompt ids, the begin token included
   * @param maxTokens most output ids
   * @param contextLength most ids of prompt and output together
   * @param endIds ids that end the generation; empty to ignore them
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Request(
      int[] prompt,
      int maxTokens,
      int contextLength,
      Set<Integer> endIds,
      SamplingParameters sampling) {}

  private final Request request;
  private final IntConsumer onToken;
  private final LongSupplier nanoClock;
  private final long startNanos;
  private final TokenGeneration tokens;
  private int[] output = new int[16];
  private int count;
  private long firstTokenNanos;
  private long lastTokenNanos;

  /**
   * Starts the clock.
   *
   * @param onToken hears every output id as it comes, the end token included
   */
  public Generation(Request request, IntConsumer onToken, LongSupplier nanoClock) {
    this.request = request;
    this.onToken = onToken;
    this.nanoClock = nanoClock;
    this.startNanos = nanoClock.getAsLong();
    EngineRequest engineRequest =
        new EngineRequest(
            request.prompt(),
            request.maxTokens(),
            request.endIds(),
            request.sampling(),
            EngineRequest.NO_LOGPROBS,
            false,
            Optional.empty(),
            NEVER);
    this.tokens = new TokenGeneration(engineRequest, request.contextLength(), this::add);
  }

  /** Returns the sequence that the generation drives. */
  public Sequence sequence() {
    return new Sequence(request.prompt(), tokens.promptLogits(), tokens);
  }

  private boolean add(int id, @Nullable TokenLogprobs logprobs) {
    lastTokenNanos = nanoClock.getAsLong();
    if (count == 0) {
      firstTokenNanos = lastTokenNanos;
    }
    if (count == output.length) {
      output = Arrays.copyOf(output, 2 * count);
    }
    output[count] = id;
    count++;
    onToken.accept(id);
    return true;
  }

  public int[] outputIds() {
    return Arrays.copyOf(output, count);
  }

  public EndReason finishReason() {
    return tokens.endReason();
  }

  /** From the start to the first token, in milliseconds. */
  public double timeToFirstTokenMillis() {
    return (firstTokenNanos - startNanos) / 1e6;
  }

  public double prefillTokensPerSecond() {
    return request.prompt().length / (timeToFirstTokenMillis() / 1e3);
  }

  /** Tokens after the first one, per second; 0 if there is only one. */
  public double decodeTokensPerSecond() {
    return count < 2 ? 0 : (count - 1) / ((lastTokenNanos - firstTokenNanos) / 1e9);
  }
}
