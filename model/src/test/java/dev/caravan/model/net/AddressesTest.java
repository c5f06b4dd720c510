package dev.caravan.model.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
  @Test
  void readsHostsAndPorts() {
    InetSocketAddress address = Addresses.parse("--listen", "127.0.0.1:7001");
    assertThat(address.getHostString()).isEqualTo("127.0.0.1");
    assertThat(address.getPort()).isEqualTo(7001);
    assertThat(Addresses.parse("--listen", "[::1]:7001").getAddress().isLoopbackAddress()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "host", ":1", "host:", "host:x", "host:65536", "host:-1"})
  void whatIsNoAddressIsRefusedWithTheOption(String text) {
    assertThatThrownBy(() -> Addresses.parse("--listen", text))
        .isInstanceOf(ClusterException.class)
        .hasMessageContainingAll("--listen '" + text + "'", "HOST:PORT");
  }

  @Test
  void addressThatCannotBeTakenIsNamedWithTheReason() {
    ClusterException taken =
        Addresses.cannotListen(
            "--http",
            new InetSocketAddress("127.0.0.1", 80),
            new IOException("failed", new BindException("Address already in use")));
    assertThat(taken.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(taken)
        .hasMessage(
            "cannot listen on 127.0.0.1:80: Address already in use; choose another --http address");
  }

  @Test
  void nameThatNobodyKnowsIsSaidToBeOne() {
    assertThat(
            Addresses.cannotListen(
                "--listen",
                InetSocketAddress.createUnresolved("node-b", 7000),
                new IOException(new UnresolvedAddressException())))
        .hasMessageContaining("cannot listen on node-b:7000: nobody knows a host of this name");
  }
}
