package dev.caravan.k8s.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A host: an address, a cable, mounts and processes of its own. */
public final class Host implements AutoCloseable {
  private static final Pattern SENT = Pattern.compile("Sent (\\d+) bytes");

  private final String name;
  private final String address;
  private final Namespaces spaces;
  private final Names names;
  private final List<HostProcess> processes = new ArrayList<>();

  Host(String name, String address, Namespaces spaces, Names names) {
    this.name = name;
    this.address = address;
    this.spaces = spaces;
    this.names = names;
  }

  void plugIn(Link link) throws IOException, InterruptedException {
    spaces.run(
        """
        ip link set lo up
        ip address add "$1/24" dev eth0
        ip link set eth0 up
        ip route replace 10.66.0.0/24 dev eth0 src "$1" congctl cubic
        mount --bind "$2" /etc/hosts
        """
            + link.limit("eth0"),
        address,
        names.file().toString());
  }

  public String name() {
    return name;
  }

  public String address() {
    return address;
  }

  /** Gives a name this host's address, as all hosts see it from now on. */
  public void publish(String published) {
    names.put(published, address);
  }

  /** Takes a name from all hosts. */
  public void unpublish(String published) {
    names.remove(published);
  }

  /** The file of names that all hosts share. */
  public String namesFile() {
    return names.file().toString();
  }

  /**
   * Runs a script as root, with mounts that only this host sees.
   *
   * @param arguments $1, $2, ... of the script
   * @throws IOException with what it printed if it fails
   */
  public String run(String script, String... arguments) throws IOException, InterruptedException {
    return spaces.run(script, arguments);
  }

  /** Starts a command as root. */
  public HostProcess start(List<String> command) throws IOException {
    HostProcess process = HostProcess.start(name, spaces.command(command));
    processes.add(process);
    return process;
  }

  /** Opens a port of this machine whose connections leave from this host. */
  public Relay relay(Host to, int port) throws IOException, InterruptedException {
    return Relay.open(spaces.pid(), new InetSocketAddress(to.address, port));
  }

  /** Bytes that this host has sent, as they were on the cable, from Ethernet's header on. */
  public long sentBytes() throws IOException, InterruptedException {
    String counters = spaces.network("tc -s qdisc show dev eth0 root");
    Matcher sent = SENT.matcher(counters);
    if (!sent.find()) {
      throw new IOException("no counter in: " + counters);
    }
    return Long.parseLong(sent.group(1));
  }

  @Override
  public void close() {
    processes.forEach(HostProcess::close);
    spaces.close();
  }
}
