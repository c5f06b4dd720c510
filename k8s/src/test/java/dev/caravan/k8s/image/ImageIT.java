package dev.caravan.k8s.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.caravan.k8s.net.Host;
import dev.caravan.k8s.net.HostProcess;
import dev.caravan.k8s.net.Hosts;
import dev.caravan.k8s.net.Link;
import dev.caravan.k8s.net.Relay;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The image's root file system in containers without privileges. */
@Timeout(600)
class ImageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  @TempDir static Path directory;
  private static Hosts hosts;
  private static RootFs rootFs;

  @BeforeAll
  static void open() throws Exception {
    Hosts.require(ImageIT.class);
    rootFs = RootFs.build();
    DemoModels.write(directory);
    hosts = Hosts.open(directory, Link.UNLIMITED);
  }

  @AfterAll
  static void close() {
    if (hosts != null) {
      hosts.close();
    }
  }

  @Test
  void coordinatorAndTwoWorkersAnswerAChatOfTheOpenAiClient() throws Exception {
    Container coordinator = container("coordinator");
    HostProcess serve =
        coordinator.caravan(
            "serve",
            "--model",
            "/models/" + DemoModels.MODEL,
            "--chat-template",
            "/models/" + DemoModels.CHAT_TEMPLATE,
            "--remote-workers",
            2,
            "--listen",
            "coordinator:7000",
            "--http",
            "0.0.0.0:8080");
    for (String name : List.of("worker-0", "worker-1")) {
      container(name)
          .caravan(
              "worker",
              "--coordinator",
              "coordinator:7000",
              "--listen",
              name + ":7001",
              "--id",
              name);
    }
    serve.awaitErr(text -> text.contains("ready to serve"), PATIENCE);
    Host client = hosts.add("client");
    try (Relay relay = client.relay(coordinator.host(), 8080)) {
      OpenAIClient openai =
          OpenAIOkHttpClient.builder()
              .baseUrl(relay.address() + "/v1")
              .apiKey("none")
              .maxRetries(0)
              .build();
      ChatCompletion answer =
          openai
              .chat()
              .completions()
              .create(
                  ChatCompletionCreateParams.builder()
                      .model("caravan-demo")
                      .addUserMessage("Once upon a time")
                      .temperature(0)
                      .maxCompletionTokens(12)
                      .build());
      openai.close();
      assertThat(answer.choices().getFirst().message().content().orElseThrow())
          .hasSizeGreaterThan(10);
      assertThat(answer.usage().orElseThrow().completionTokens()).isEqualTo(12);
    }
    serve.signal("TERM");
    assertThat(serve.awaitExit(PATIENCE)).as(serve.err()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"max, 1024, 512", "1073741824, 256, 256", "3221225472, 768, 512"})
  void heapIsAQuarterOfTheContainersMemoryWithinBounds(
      String memory, long coordinatorMebibytes, long workerMebibytes) throws Exception {
    Path limits = Files.createDirectory(directory.resolve("cgroup-" + memory));
    Files.writeString(limits.resolve("memory.max"), memory + "\n");
    Container container =
        Container.mount(hosts.add("limited"), rootFs, Map.of("/sys/fs/cgroup", limits))
            .withJavaOptions("-XX:+PrintFlagsFinal");
    for (Map.Entry<String, Long> heap :
        Map.of("--version", coordinatorMebibytes, "worker", workerMebibytes).entrySet()) {
      HostProcess process = container.caravan(heap.getKey(), "--help");
      assertThat(process.awaitExit(PATIENCE)).as(process.err()).isZero();
      assertThat(process.out())
          .containsPattern("MaxHeapSize += %d ".formatted(heap.getValue() << 20));
    }
  }

  private static Container container(String name) throws Exception {
    Host host = hosts.add(name);
    host.publish(name);
    return Container.mount(host, rootFs, Map.of("/models", directory));
  }
}
