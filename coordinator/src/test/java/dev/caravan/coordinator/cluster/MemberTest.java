package dev.caravan.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemberTest {
  @Test
  void describesItselfWithAddressAndProcess() {
    assertThat(new Member("w1", "10.0.0.7", 7001, 8, 1, 42).describe())
        .isEqualTo("worker w1 (10.0.0.7:7001, process 42)");
  }

  @Test
  void addressOfAnIpv6HostHasBrackets() {
    assertThat(new Member("w1", "::1", 7001, 8, 1, 42).address()).isEqualTo("[::1]:7001");
  }
}
