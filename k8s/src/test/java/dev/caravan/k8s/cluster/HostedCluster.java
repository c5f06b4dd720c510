package dev.caravan.k8s.cluster;

import dev.caravan.k8s.image.Container;
import dev.caravan.k8s.image.DemoModels;
import dev.caravan.k8s.image.RootFs;
import dev.caravan.k8s.net.Host;
import dev.caravan.k8s.net.HostProcess;
import dev.caravan.k8s.net.Hosts;
import dev.caravan.k8s.net.Link;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A coordinator, workers and a client, each on a host of its own, and nothing running yet. A name
 * is known from when its process starts, as that of a pod is.
 */
final class HostedCluster implements AutoCloseable {
  static final String COORDINATOR = "coordinator";
  static final int COORDINATOR_PORT = 7000;
  static final int WORKER_PORT = 7001;
  static final int HTTP_PORT = 8080;

  /** Long, because other builds may need the processors at the same time. */
  static final Duration PATIENCE = Duration.ofSeconds(120);

  /** Models this small have answered before the optimising compiler has paid off. */
  private static final String QUICK = "-XX:TieredStopAtLevel=1";

  /** Serves the embedded model. */
  static final List<Object> SERVE =
      List.of("serve", "--model", "/models/" + DemoModels.MODEL, "--http", "0.0.0.0:" + HTTP_PORT);

  private final Hosts hosts;
  private final RootFs rootFs;
  private final Map<String, Path> folders;
  private final Map<String, Container> containers = new LinkedHashMap<>();
  private final Map<String, HostProcess> running = new LinkedHashMap<>();

  private HostedCluster(Hosts hosts, RootFs rootFs, Map<String, Path> folders) {
    this.hosts = hosts;
    this.rootFs = rootFs;
    this.folders = folders;
  }

  /**
   * Sets the hosts up, or skips the calling test loudly without the privilege to.
   *
   * @param directory that the containers see as /models
   * @param more folders by where the containers see them, below /tmp
   */
  static HostedCluster open(
      Class<?> test, Path directory, Link link, int workers, Map<String, Path> more)
      throws IOException, InterruptedException {
    Hosts.require(test);
    RootFs rootFs = RootFs.build();
    DemoModels.write(directory);
    Map<String, Path> folders = new LinkedHashMap<>(more);
    folders.put("/models", directory);
    HostedCluster cluster =
        new HostedCluster(Hosts.open(directory, link), rootFs, Map.copyOf(folders));
    try {
      cluster.addHost(COORDINATOR);
      for (String worker : workers(workers)) {
        cluster.addHost(worker);
      }
      return cluster;
    } catch (IOException | InterruptedException e) {
      cluster.close();
      throw e;
    }
  }

  /** Names of that many workers. */
  static List<String> workers(int count) {
    return IntStream.range(0, count).mapToObj(i -> "worker-" + i).toList();
  }

  /** Adds a host for a container that may be given a name. */
  void addHost(String name) throws IOException, InterruptedException {
    Container container = Container.mount(hosts.add(name), rootFs, folders);
    containers.put(name, container.withJavaOptions(QUICK));
  }

  /** Adds the client's host and opens the way from there to the coordinator's API. */
  HostedApi client() throws IOException, InterruptedException {
    return new HostedApi(hosts.add("client").relay(host(COORDINATOR), HTTP_PORT));
  }

  Host host(String name) {
    return container(name).host();
  }

  /** The process that was started last on a host. */
  HostProcess process(String name) {
    HostProcess process = running.get(name);
    if (process == null) {
      throw new IllegalArgumentException("nothing was started on " + name);
    }
    return process;
  }

  /** Starts the coordinator with a command for that many workers. */
  HostProcess startCoordinator(int workers, List<Object> command) throws IOException {
    List<Object> whole = new ArrayList<>(command);
    whole.addAll(List.of("--remote-workers", workers, "--threads", 1));
    whole.addAll(List.of("--listen", COORDINATOR + ":" + COORDINATOR_PORT));
    return start(COORDINATOR, COORDINATOR, whole);
  }

  /** Starts a server of the embedded model and that many workers; returns it when it is ready. */
  HostProcess serve(int workers, List<Object> options) throws IOException, InterruptedException {
    List<Object> command = new ArrayList<>(SERVE);
    command.addAll(options);
    HostProcess coordinator = startCoordinator(workers, command);
    for (String worker : workers(workers)) {
      startWorker(worker);
    }
    awaitReady();
    return coordinator;
  }

  /** Waits until the server has loaded its model. */
  void awaitReady() throws InterruptedException {
    process(COORDINATOR).awaitErr(text -> text.contains("ready to serve"), PATIENCE);
  }

  /** Starts a worker on the host of its name. */
  HostProcess startWorker(String name) throws IOException {
    return startWorker(name, name);
  }

  /** Starts a worker on any host; its name then has that host's address. */
  HostProcess startWorker(String name, String hostName) throws IOException {
    List<Object> command = new ArrayList<>(List.of("worker", "--stay", "--id", name));
    command.addAll(List.of("--coordinator", COORDINATOR + ":" + COORDINATOR_PORT));
    // Some are known by name, some by address, as the chart's are.
    String listen = workers(2).contains(name) ? name : "0.0.0.0";
    command.addAll(List.of("--listen", listen + ":" + WORKER_PORT));
    return start(hostName, name, command);
  }

  /** Waits until a coordinator or a worker listens for the others. */
  void awaitListening(String name) throws IOException, InterruptedException {
    int port = name.equals(COORDINATOR) ? COORDINATOR_PORT : WORKER_PORT;
    process(name).awaitListening(port, PATIENCE);
  }

  /** Ends what still runs, and takes the names away. */
  void end() throws IOException, InterruptedException {
    running.values().forEach(HostProcess::close);
    for (String name : running.keySet()) {
      process(name).awaitExit(PATIENCE);
      host(name).unpublish(name);
    }
    running.clear();
  }

  private HostProcess start(String hostName, String name, List<Object> command) throws IOException {
    host(hostName).publish(name);
    HostProcess process = container(hostName).caravan(command.toArray());
    running.put(hostName, process);
    return process;
  }

  private Container container(String name) {
    Container container = containers.get(name);
    if (container == null) {
      throw new IllegalArgumentException("no host is called " + name);
    }
    return container;
  }

  @Override
  public void close() {
    hosts.close();
  }
}
