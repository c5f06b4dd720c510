package dev.caravan.coordinator.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A headless Chromium with one tab, steered over the DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome-stable", "google-chrome");
  private static final long DEADLINE_SECONDS = 30;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final AtomicInteger lastId = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final WebSocket socket;
  private final String session;

  private Browser(Process process) throws Exception {
    this.process = process;
    this.socket =
        client
            .newWebSocketBuilder()
            .buildAsync(address(process), new Listener())
            .get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    JsonNode target = send("", "Target.createTarget", Map.of("url", "about:blank"));
    Map<String, Object> tab = Map.of("targetId", target.get("targetId"), "flatten", true);
    this.session = send("", "Target.attachToTarget", tab).get("sessionId").asText();
    for (String domain : List.of("Page", "Runtime", "Log")) {
      call(domain + ".enable", Map.of());
    }
  }

  /** Finds a Chromium among the programs of this machine. */
  static Optional<Path> find() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * @param profile an empty directory
   */
  static Browser start(Path program, Path profile) throws Exception {
    Process process =
        new ProcessBuilder(
                program.toString(),
                "--headless=new",
                // Tests may run as root in a container, where Chromium's sandbox cannot.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile)
            .redirectErrorStream(true)
            .start();
    try {
      return new Browser(process);
    } catch (Exception e) {
      end(process);
      throw e;
    }
  }

  /** Leaves the page that is open, forgets complaints, and opens another. */
  void open(URI page) throws Exception {
    leave();
    complaints.clear();
    call("Page.navigate", Map.of("url", page.toString()));
  }

  /** Opens an empty page. */
  void leave() throws Exception {
    call("Page.navigate", Map.of("url", "about:blank"));
  }

  /** Makes the window that many pixels large, and light or dark. */
  void show(int width, int height, String theme) throws Exception {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    Map<String, Object> feature = Map.of("name", "prefers-color-scheme", "value", theme);
    call("Emulation.setEmulatedMedia", Map.of("features", List.of(feature)));
  }

  /** Waits until an expression of the page is true. */
  void await(String expression) throws Exception {
    String polling =
        """
        new Promise(done => {
          const end = performance.now() + %d;
          const look = () => {
            let value = false;
            try { value = Boolean(%s); } catch {}
            value || performance.now() > end ? done(value) : setTimeout(look, 20);
          };
          look();
        })\
        """
            .formatted(TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS) / 2, expression);
    if (!evaluate(polling).asBoolean()) {
      throw new AssertionError(
          "never became true: %s\nthe page shows: %s\ncomplaints: %s"
              .formatted(expression, evaluate("document.body.innerText").asText(), complaints));
    }
  }

  /** Returns the value of an expression of the page; a promise is waited for. */
  JsonNode evaluate(String expression) throws Exception {
    JsonNode answer =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
    if (answer.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + answer.get("exceptionDetails"));
    }
    return answer.get("result").path("value");
  }

  /** Clicks into the middle of an element with the mouse. */
  void click(String selector) throws Exception {
    JsonNode at =
        evaluate(
            """
            (() => {
              const box = document.querySelector(%s).getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            })()\
            """
                .formatted(JSON.writeValueAsString(selector)));
    for (String type : List.of("mousePressed", "mouseReleased")) {
      Map<String, Object> event =
          Map.of("type", type, "x", at.get(0), "y", at.get(1), "button", "left", "clickCount", 1);
      call("Input.dispatchMouseEvent", event);
    }
  }

  /** Types into what has the focus. */
  void type(String text) throws Exception {
    call("Input.insertText", Map.of("text", text));
  }

  /** Presses the Enter key. */
  void enter() throws Exception {
    for (String type : List.of("keyDown", "keyUp")) {
      Map<String, Object> event =
          Map.of("type", type, "key", "Enter", "windowsVirtualKeyCode", 13, "text", "\r");
      call("Input.dispatchKeyEvent", event);
    }
  }

  /** Returns what the window shows as a PNG file. */
  byte[] picture() throws Exception {
    return Base64.getDecoder()
        .decode(call("Page.captureScreenshot", Map.of()).get("data").asText());
  }

  /** Errors of scripts, of loading, and violations of the page's policy since it was opened. */
  List<String> complaints() {
    return List.copyOf(complaints);
  }

  @Override
  public void close() throws Exception {
    send("", "Browser.close", Map.of());
    process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS);
    client.shutdownNow();
    end(process);
  }

  private static void end(Process process) throws InterruptedException {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    process.waitFor();
  }

  private JsonNode call(String method, Map<String, ?> parameters) throws Exception {
    return send(session, method, parameters);
  }

  private JsonNode send(String to, String method, Map<String, ?> parameters) throws Exception {
    int id = lastId.incrementAndGet();
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    if (!to.isEmpty()) {
      message.put("sessionId", to);
    }
    message.set("params", JSON.valueToTree(parameters));
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(id, answer);
    socket.sendText(message.toString(), true).get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    JsonNode got = answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    if (got.has("error")) {
      throw new AssertionError(method + ": " + got.get("error"));
    }
    return got.get("result");
  }

  /** Reads where the browser listens, and then all else that it prints. */
  private static URI address(Process process) throws Exception {
    CompletableFuture<URI> found = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line = output.readLine();
            while (line != null) {
              int at = line.indexOf("ws://");
              if (at >= 0) {
                found.complete(URI.create(line.substring(at).strip()));
              }
              line = output.readLine();
            }
          } catch (IOException e) {
            found.completeExceptionally(e);
          }
          found.completeExceptionally(new IOException("the browser ended"));
        });
    return found.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /** Gives answers to those who wait, and keeps complaints. */
  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        hear(text.toString());
        text.setLength(0);
      }
      from.request(1);
      return CompletableFuture.completedStage(null);
    }

    private void hear(String message) {
      try {
        JsonNode json = JSON.readTree(message);
        if (json.has("id")) {
          Optional.ofNullable(answers.remove(json.get("id").asInt()))
              .ifPresent(answer -> answer.complete(json));
        } else if (isComplaint(json)) {
          complaints.add(json.get("params").toString());
        }
      } catch (IOException e) {
        complaints.add(e.toString());
      }
    }

    private static boolean isComplaint(JsonNode event) {
      return switch (event.path("method").asText()) {
        case "Runtime.exceptionThrown" -> true;
        case "Log.entryAdded" -> event.at("/params/entry/level").asText().equals("error");
        default -> false;
      };
    }
  }
}
