package dev.caravan.coordinator.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.coordinator.api.ApiKeys;
import dev.caravan.coordinator.api.ApiServer;
import dev.caravan.coordinator.api.ByteVocabulary;
import dev.caravan.coordinator.api.ScriptedEngine;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.api.openai.ChatRoutes;
import dev.caravan.coordinator.api.openai.CompletionRoutes;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.metrics.EngineCounts;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.metrics.ServedCluster;
import dev.caravan.coordinator.metrics.SmallCluster;
import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a headless Chromium, on an engine that generates as many tokens as a test lets it.
 */
@Timeout(120)
class PageIT {
  private static final String ANSWER = "Once upon a time there was a long caravan.";
  private static final String TEMPLATE =
      "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}";
  private static final Path PICTURES = Path.of("target", "page");

  @TempDir static Path profile;
  private static Browser browser;

  private final AtomicBoolean secondIsUp = new AtomicBoolean(true);
  private final ScriptedEngine engine = new ScriptedEngine(_ -> ByteVocabulary.ended(ANSWER), 8);
  private ApiServer server;

  @BeforeAll
  static void openBrowser() throws Exception {
    Optional<Path> program = Browser.find();
    if (program.isEmpty()) {
      System.err.println("SKIPPED: the web page is not tested: no Chromium is on the PATH");
    }
    assumeTrue(program.isPresent(), "no Chromium is on the PATH");
    browser = Browser.start(program.get(), profile);
  }

  @AfterAll
  static void closeBrowser() throws Exception {
    if (browser != null) {
      browser.close();
    }
  }

  @AfterEach
  void stop() throws Exception {
    if (server != null) {
      browser.leave();
      server.close();
    }
    engine.close();
  }

  @Test
  void showsTokensAsTheyComeAndStopsWhenAsked() throws Exception {
    openChat();
    engine.allow(9);
    ask("Tell me a story");
    browser.await("answer().innerText === 'Once upon'");
    assertThat(browser.evaluate("document.querySelector('.user').innerText").asText())
        .isEqualTo("Tell me a story");
    browser.click(".stop");
    engine.awaitCancelled(1);
    browser.await("answer().querySelector('.note').innerText.endsWith('stopped')");
    assertThat(text(".assistant .text")).isEqualTo("Once upon");

    engine.allow(Integer.MAX_VALUE);
    ask("And now all of it");
    browser.await("answer().querySelector('.note').innerText.includes('tokens/s')");
    browser.await("answer().querySelector('.text').innerText === '%s'".formatted(ANSWER));
    assertThat(prompt(1))
        .isEqualTo("[user] Tell me a story\n[assistant] Once upon\n[user] And now all of it\n");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void showsAllWorkersAndWhichOneIsLost() throws Exception {
    openChat();
    for (int worker = 0; worker < 4; worker++) {
      String card = "document.querySelectorAll('.stage')[%d].querySelectorAll('.worker')[%d]";
      String text =
          browser.evaluate(card.formatted(worker / 2, worker % 2) + ".innerText").asText();
      assertThat(text).contains("local-" + worker, "127.0.0.1:400" + worker, "up");
    }
    assertThat(browser.evaluate("document.querySelectorAll('.worker').length").asInt())
        .isEqualTo(4);
    secondIsUp.set(false);
    browser.await("document.querySelector('.worker.lost').innerText.includes('local-1')");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void sendsTheSettingsThatAreFilled() throws Exception {
    openChat();
    engine.allow(Integer.MAX_VALUE);
    browser.click("[aria-controls=settings]");
    fill("[name=temperature]", "0.3");
    fill("[name=top_k]", "7");
    fill("[name=max_tokens]", "4");
    fill("[name=system]", "Be brief");
    ask("Hello");
    browser.await("answer().querySelector('.note').innerText.includes('length limit')");
    EngineRequest request = engine.requests().getFirst();
    assertThat(prompt(0)).isEqualTo("[system] Be brief\n[user] Hello\n");
    assertThat(request.maxTokens()).isEqualTo(4);
    assertThat(request.sampling().temperature()).isEqualTo(0.3);
    assertThat(request.sampling().topK()).isEqualTo(7);
    assertThat(text(".assistant .text")).isEqualTo("Once");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void continuesTextWhereTheModelHasNoChatTemplate() throws Exception {
    open(List.of(), false);
    browser.await("document.querySelector('.welcome').innerText.includes('no chat template')");
    engine.allow(Integer.MAX_VALUE);
    ask("Once");
    browser.await("answer().querySelector('.text').innerText === '%s'".formatted(ANSWER));
    assertThat(prompt(0)).isEqualTo("Once");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void asksForAKeyAndGoesOnWithIt() throws Exception {
    open(List.of("sesame"), true);
    browser.await("document.querySelector('.pill').innerText === 'key needed'");
    browser.click("[aria-controls=settings]");
    fill("[name=key]", "sesame");
    browser.enter();
    browser.await("document.querySelector('.pill').innerText === 'serving'");
    browser.await("document.querySelectorAll('.worker').length === 4");
  }

  @Test
  void fitsWideAndNarrowScreensInLightAndDark() throws Exception {
    openChat();
    engine.allow(Integer.MAX_VALUE);
    ask("Tell me a story");
    browser.await("answer().querySelector('.note').innerText.includes('tokens/s')");
    Files.createDirectories(PICTURES);
    for (String theme : List.of("light", "dark")) {
      browser.show(1360, 860, theme);
      browser.await("visible('#chat') && visible('#cluster') && !visible('[role=tablist]')");
      picture("wide-" + theme);
      browser.show(390, 844, theme);
      for (String view : List.of("cluster", "chat")) {
        browser.click("[role=tab][aria-controls=%s]".formatted(view));
        browser.await(
            "visible('#%s') && document.querySelectorAll('.view:not(.shown)').length === 1"
                .formatted(view));
        browser.await("document.documentElement.scrollWidth <= 390");
        browser.await("document.querySelector('#%s').scrollWidth <= 390".formatted(view));
        picture("narrow-%s-%s".formatted(theme, view));
      }
    }
    assertThat(browser.complaints()).isEmpty();
  }

  private void picture(String name) throws Exception {
    Files.write(PICTURES.resolve(name + ".png"), browser.picture());
  }

  private void openChat() throws Exception {
    open(List.of(), true);
    browser.await("document.querySelectorAll('.worker').length === 4");
  }

  private void open(List<String> keys, boolean chat) throws Exception {
    Optional<ChatTemplate> template =
        chat ? Optional.of(ChatTemplate.parse(TEMPLATE)) : Optional.empty();
    Serving serving = new Serving();
    serving.ready(
        new Serving.Loaded(
            new ServedModel(
                "tiny",
                1,
                ByteVocabulary.tokenizer(),
                template,
                Map.of(),
                new StructuredOutput(ByteVocabulary.tokenizer()),
                256),
            engine));
    ServedCluster cluster =
        SmallCluster.of(2, 2, chat, member -> member.port() != 4001 || secondIsUp.get());
    Monitor monitor = new Monitor(cluster, engine, new EngineCounts(4, 256, System::nanoTime));
    Duration timeout = Duration.ofMinutes(1);
    server =
        new ApiServer(
            new InetSocketAddress("127.0.0.1", 0),
            new ApiKeys(keys),
            List.of(
                new ChatRoutes(serving, timeout),
                new CompletionRoutes(serving, timeout),
                new PageRoutes(() -> monitor)));
    server.start();
    engine.allow(0);
    browser.show(1360, 860, "light");
    browser.open(URI.create("http://127.0.0.1:%d/".formatted(server.port())));
    browser.await("document.querySelector('.composer textarea')");
    browser.evaluate(
        """
        window.answer = () => [...document.querySelectorAll('.assistant')].at(-1);
        window.visible = which => document.querySelector(which).checkVisibility();
        0\
        """);
  }

  private void ask(String question) throws Exception {
    browser.click(".composer textarea");
    browser.type(question);
    browser.await("!document.querySelector('.composer [type=submit]').disabled");
    browser.enter();
    browser.await("answer() && document.querySelector('.composer textarea').value === ''");
  }

  private void fill(String field, String text) throws Exception {
    browser.click(field);
    browser.evaluate("document.activeElement.select()");
    browser.type(text);
  }

  private static String text(String selector) throws Exception {
    return browser.evaluate("document.querySelector('%s').innerText".formatted(selector)).asText();
  }

  /** Returns the prompt of a request as text, without the begin token. */
  private String prompt(int request) {
    StringBuilder text = new StringBuilder();
    for (int id : engine.requests().get(request).prompt()) {
      if (id < 256) {
        text.append((char) id);
      }
    }
    return text.toString();
  }
}
