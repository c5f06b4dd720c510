package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.sample.Sampler;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The continuation of one prompt: samples tokens until an end token, the wanted length or the end
 * of the context. Confined to the generation loop.
 */
public final class Generation implements Sequence.AnswerConsumer {

  /** Why a generation ended. */
  public enum FinishReason {
    /** An end token was sampled; it is the last output id. */
    STOP,
    /** The wanted length or the end of the context was reached. */
    LENGTH
  }

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
  private final Sampler sampler;
  private final IntConsumer onToken;
  private final LongSupplier nanoClock;
  private final long startNanos;
  private final int maxTokens;
  private int[] output = new int[16];
  private int count;
  private FinishReason finishReason = FinishReason.LENGTH;
  private long firstTokenNanos;
  private long lastTokenNanos;

  /**
   * Starts the clock.
   *
   * @param onToken hears every output id as it comes, the end token included
   */
  public Generation(Request request, IntConsumer onToken, LongSupplier nanoClock) {
    this.request = request;
    this.sampler = new Sampler(request.sampling(), request.prompt());
    this.onToken = onToken;
    this.nanoClock = nanoClock;
    this.startNanos = nanoClock.getAsLong();
    this.maxTokens =
        Math.min(request.maxTokens(), request.contextLength() - request.prompt().length + 1);
  }

  /** Returns the sequence that the generation drives. */
  public Sequence sequence() {
    return new Sequence(request.prompt(), SequenceChunk.Logits.LAST, this);
  }

  @Override
  public RowQuery query(int position) {
    return sampler.query();
  }

  @Override
  public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    int id = sampler.sample(position, answer, allLogits);
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
    if (request.endIds().contains(id)) {
      finishReason = FinishReason.STOP;
      return END;
    }
    return count >= maxTokens ? END : id;
  }

  public int[] outputIds() {
    return Arrays.copyOf(output, count);
  }

  public FinishReason finishReason() {
    return finishReason;
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
