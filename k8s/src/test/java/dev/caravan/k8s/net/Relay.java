package dev.caravan.k8s.net;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A port of this machine's loopback address. Whoever connects to it talks to a host's port, from
 * another host: the connection goes over both cables. So any client that runs in this JVM is a
 * client on a host.
 *
 * <p>One thread enters the network namespace of the host (setns, a matter of threads in Linux) and
 * opens the connections from there. It starts platform threads only: they inherit its namespace,
 * and a carrier of virtual threads must not.
 */
public final class Relay implements AutoCloseable {
  private static final int CLONE_NEWNET = 0x40000000;
  private static final int MAX_WAITING = 64;

  private final InetSocketAddress to;
  private final ServerSocket server;
  private final List<Socket> sockets = new ArrayList<>(); // guarded by itself

  private Relay(InetSocketAddress to) throws IOException {
    this.to = to;
    this.server = new ServerSocket(0, MAX_WAITING, InetAddress.getLoopbackAddress());
  }

  /**
   * Opens a port.
   *
   * @param pid a process in the network that connections leave from
   */
  static Relay open(long pid, InetSocketAddress to) throws IOException, InterruptedException {
    Relay relay = new Relay(to);
    CompletableFuture<Void> entered = new CompletableFuture<>();
    Thread.ofPlatform().daemon().name("relay").start(() -> relay.serve(pid, entered));
    try {
      entered.get();
    } catch (ExecutionException e) {
      relay.close();
      throw new IOException("cannot enter the network of process " + pid, e.getCause());
    }
    return relay;
  }

  /** Where clients of this JVM connect. */
  public String address() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  @Override
  public void close() {
    closeQuietly(server);
    synchronized (sockets) {
      sockets.forEach(Relay::closeQuietly);
    }
  }

  private void serve(long pid, CompletableFuture<Void> entered) {
    try {
      enterNetwork(pid);
    } catch (IOException | RuntimeException e) {
      entered.completeExceptionally(e);
      return;
    }
    entered.complete(null);
    while (!server.isClosed()) {
      try {
        connect(server.accept());
      } catch (IOException e) {
        // Closed; or the host refuses connections, which the client hears by the end of its own.
      }
    }
  }

  private void connect(Socket client) throws IOException {
    Socket target = new Socket();
    synchronized (sockets) {
      sockets.add(client);
      sockets.add(target);
    }
    try {
      target.connect(to);
      // What was accepted after close() had its look would stay open.
      if (server.isClosed()) {
        throw new IOException("closed");
      }
    } catch (IOException e) {
      closeQuietly(client);
      closeQuietly(target);
      throw e;
    }
    Thread.ofPlatform().daemon().start(() -> pump(client, target));
    Thread.ofPlatform().daemon().start(() -> pump(target, client));
  }

  private static void pump(Socket from, Socket to) {
    try (from;
        to) {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      // One of the two hung up: so does the other, by the end of this block.
    }
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static void enterNetwork(long pid) throws IOException {
    Linker linker = Linker.nativeLinker();
    MethodHandle open =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    MethodHandle setns =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setns"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    MethodHandle close =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("close"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom("/proc/%d/ns/net".formatted(pid));
      int file = (int) open.invokeExact(path, 0);
      if (file < 0) {
        throw new IOException("cannot open the network of process " + pid);
      }
      int result = (int) setns.invokeExact(file, CLONE_NEWNET);
      int _ = (int) close.invokeExact(file);
      if (result != 0) {
        throw new IOException("setns failed");
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
