package dev.caravan.k8s.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Several hosts at one switch, in namespaces of their own: nothing of the machine's network is
 * touched. Needs root.
 *
 * <p>Confined to the test's thread, but for {@link #names()}.
 */
public final class Hosts implements AutoCloseable {
  private static final String SUBNET = "10.66.0.";

  private final Link link;
  private final Names names;
  private final Namespaces switchSpaces;
  private final List<Host> hosts = new ArrayList<>();

  private Hosts(Link link, Names names, Namespaces switchSpaces) {
    this.link = link;
    this.names = names;
    this.switchSpaces = switchSpaces;
  }

  /** Skips the calling test loudly if it must not make hosts. */
  public static void require(Class<?> test) {
    Privilege.require(test);
  }

  /**
   * Makes a switch without hosts.
   *
   * @param directory for the file of names, which everybody may read
   */
  public static Hosts open(Path directory, Link link) throws IOException, InterruptedException {
    Names names = new Names(Files.createFile(directory.resolve("hosts")));
    Namespaces spaces = Namespaces.open("switch");
    try {
      spaces.network("ip link add name br0 type bridge && ip link set br0 up");
      return new Hosts(link, names, spaces);
    } catch (IOException | InterruptedException e) {
      spaces.close();
      throw e;
    }
  }

  /** Adds a host; its name gets an address when {@link Host#publish} is called. */
  public Host add(String name) throws IOException, InterruptedException {
    int number = hosts.size() + 1;
    Namespaces spaces = Namespaces.open(name);
    try {
      String port = "port" + number;
      switchSpaces.network(
          "ip link add name %s type veth peer name eth0 netns %d && ip link set %s master br0 up && %s"
              .formatted(port, spaces.pid(), port, link.limit(port)));
      Host host = new Host(name, SUBNET + number, spaces, names);
      host.plugIn(link);
      hosts.add(host);
      return host;
    } catch (IOException | InterruptedException e) {
      spaces.close();
      throw e;
    }
  }

  /** Ends all hosts with everything that runs on them. */
  @Override
  public void close() {
    hosts.forEach(Host::close);
    switchSpaces.close();
  }
}
