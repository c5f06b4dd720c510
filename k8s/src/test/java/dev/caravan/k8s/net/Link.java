package dev.caravan.k8s.net;

/** What a cable between a host and the switch carries, in each direction. */
public enum Link {
  /** 1 Gbit/s. */
  GIGABIT("tbf rate 1gbit burst 128kb latency 100ms"),
  /** As much as the machine can. */
  UNLIMITED("pfifo limit 10000");

  private final String queue;

  Link(String queue) {
    this.queue = queue;
  }

  /** The command that limits what leaves a device, and counts it. */
  String limit(String device) {
    return "tc qdisc add dev %s root %s".formatted(device, queue);
  }
}
