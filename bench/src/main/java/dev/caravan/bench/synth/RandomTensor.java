package dev.caravan.bench.synth;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.GgufWriter;
import dev.caravan.model.checkpoint.RandomBlocks;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/**
 * The bytes of one random tensor, drawn in parallel by pieces and written in order; the pieces in
 * flight are all the memory it takes. Each piece has a seed of its own, so that the number of
 * threads changes nothing.
 */
final class RandomTensor implements GgufWriter.DataSource {
  private static final int PIECE_BYTES = 2 << 20;

  private final RandomBlocks blocks;
  private final long bytes;
  private final int pieceBytes;
  private final long seed;
  private final Drawing drawing;

  /**
   * Who draws, and who hears of it.
   *
   * @param threads draw pieces
   * @param piecesInFlight most pieces in memory
   * @param onWritten hears the bytes of each piece written
   */
  record Drawing(ExecutorService threads, int piecesInFlight, LongConsumer onWritten) {}

  @SuppressWarnings("ArrayRecordComponent") // a buffer and how full it is, never compared
  private record Piece(byte[] bytes, int length) {}

  /**
   * @param bytes of the whole tensor
   * @param deviation standard deviation of the weights
   * @param seed differs from tensor to tensor
   */
  RandomTensor(DType dtype, long bytes, double deviation, long seed, Drawing drawing) {
    this.blocks = new RandomBlocks(dtype, deviation);
    this.bytes = bytes;
    this.pieceBytes = PIECE_BYTES / dtype.blockBytes() * dtype.blockBytes();
    this.seed = seed;
    this.drawing = drawing;
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    ArrayDeque<Future<Piece>> inFlight = new ArrayDeque<>();
    ArrayDeque<byte[]> free = new ArrayDeque<>();
    long pieces = Math.ceilDiv(bytes, pieceBytes);
    long submitted = 0;
    try {
      for (long written = 0; written < pieces; written++) {
        while (submitted < pieces && inFlight.size() < drawing.piecesInFlight()) {
          byte[] buffer = free.isEmpty() ? new byte[pieceBytes] : free.pop();
          long number = submitted;
          inFlight.add(drawing.threads().submit(() -> draw(number, buffer)));
          submitted++;
        }
        Piece piece = get(inFlight.remove());
        out.write(piece.bytes(), 0, piece.length());
        drawing.onWritten().accept(piece.length());
        free.push(piece.bytes());
      }
    } finally {
      inFlight.forEach(future -> future.cancel(true));
    }
  }

  private Piece draw(long number, byte[] buffer) {
    int length = (int) Math.min(pieceBytes, bytes - number * pieceBytes);
    blocks.fill(buffer, length, RandomBlocks.mix(seed + number));
    return new Piece(buffer, length);
  }

  private static Piece get(Future<Piece> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while weights were drawn");
    } catch (ExecutionException e) {
      throw new IllegalStateException("a piece of random weights failed", e.getCause());
    }
  }
}
