package dev.caravan.proto.wire;

import dev.caravan.model.error.ClusterException;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * {@code caravan.collective.v1.CollectiveService/Exchange}: a bidirectional stream of {@link
 * ExchangeFrame}s between two workers. The first frame in both directions is a hello.
 *
 * <p>Not generated: protobuf would copy every payload twice more.
 */
public final class ExchangeMethod {
  public static final String SERVICE = "caravan.collective.v1.CollectiveService";

  private ExchangeMethod() {}

  /**
   * Returns the method.
   *
   * <p>A frame that is sent is read before {@code onNext} returns, provided that the call has
   * started on a live transport (its first answer has come) and the channel neither retries nor
   * hedges; only then may the frame be reused at once.
   *
   * @param pool of frames to receive into; the receiver gives them back
   */
  public static MethodDescriptor<ExchangeFrame, ExchangeFrame> create(FramePool pool) {
    RawMarshaller marshaller = new RawMarshaller(pool);
    return MethodDescriptor.<ExchangeFrame, ExchangeFrame>newBuilder()
        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, "Exchange"))
        .setRequestMarshaller(marshaller)
        .setResponseMarshaller(marshaller)
        .build();
  }

  private record RawMarshaller(FramePool pool)
      implements MethodDescriptor.Marshaller<ExchangeFrame> {

    @Override
    public InputStream stream(ExchangeFrame frame) {
      return new FrameStream(frame);
    }

    @Override
    public ExchangeFrame parse(InputStream stream) {
      try {
        int known = stream instanceof KnownLength ? stream.available() : 0;
        ExchangeFrame frame = pool.take(Math.clamp(known, 0, ExchangeFrame.MAX_BYTES));
        try {
          frame.readFrom(stream);
        } catch (ClusterException e) {
          // Handed to the receiver: thrown here it would be logged and lose its code.
          frame.markDefect(e);
        }
        return frame;
      } catch (IOException e) {
        throw Status.INTERNAL
            .withDescription("cannot read a frame from its transport buffer")
            .withCause(e)
            .asRuntimeException();
      }
    }
  }

  /** A frame as gRPC wants to see it: it asks for the length, then drains it in one write. */
  private static final class FrameStream extends InputStream implements Drainable, KnownLength {
    private final ExchangeFrame frame;
    private boolean drained;

    FrameStream(ExchangeFrame frame) {
      this.frame = frame;
    }

    @Override
    public int available() {
      return drained ? 0 : frame.length();
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      if (drained) {
        return 0;
      }
      drained = true;
      return frame.writeTo(target);
    }

    @Override
    public int read() throws IOException {
      throw new IOException("frames are drained, never read byte by byte");
    }
  }
}
