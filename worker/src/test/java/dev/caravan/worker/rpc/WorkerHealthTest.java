package dev.caravan.worker.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WorkerHealthTest {
  private final WorkerHealth health = new WorkerHealth();

  @Test
  void livesWhateverItsShardDoesAndIsReadyWithIt() {
    try (StepLoop loop = new StepLoop();
        WorkerServer server =
            new WorkerServer(
                new InetSocketAddress("127.0.0.1", 0), loop, List.of(health.service()))) {
      server.start();
      ManagedChannel channel = ExchangeTransport.channel("127.0.0.1", server.port(), loop);
      try {
        assertThat(status(channel, "")).isEqualTo(ServingStatus.SERVING);
        assertThat(status(channel, WorkerHealth.READY)).isEqualTo(ServingStatus.NOT_SERVING);
        health.ready(true);
        assertThat(status(channel, WorkerHealth.READY)).isEqualTo(ServingStatus.SERVING);
        health.ready(false);
        assertThat(status(channel, WorkerHealth.READY)).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(status(channel, "")).isEqualTo(ServingStatus.SERVING);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static ServingStatus status(ManagedChannel channel, String service) {
    return HealthGrpc.newBlockingStub(channel)
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .check(HealthCheckRequest.newBuilder().setService(service).build())
        .getStatus();
  }
}
