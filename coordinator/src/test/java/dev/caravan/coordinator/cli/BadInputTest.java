package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every wrong flag, file and request ends with one line and exit code 2, before a worker starts.
 */
@Timeout(30)
class BadInputTest {
  @TempDir static Path directory;
  private static Path model;
  private static Path withVocabulary;

  @BeforeAll
  static void writeModels() throws IOException {
    model = SmallModels.plain(directory.resolve("plain.gguf"), DType.Q8_0);
    withVocabulary = SmallModels.withVocabulary(directory.resolve("text.gguf"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--workers 0 | --workers 0",
        "--workers 5000 | --workers 5000",
        "--workers two | --workers",
        "--stages 0 | --stages 0",
        "--stages 3 | 2 layers",
        "--threads 0 | --threads 0",
        "--prefill-chunk 0 | --prefill-chunk 0",
        "--prefill-chunk 70000 | --prefill-chunk 70000",
        "--ctx 0 | --ctx 0",
        "--ctx 513 | --ctx 513 is not in 1..512",
        "--max-tokens 0 | --max-tokens 0",
        "--temperature -1 | -1",
        "--temperature NaN | NaN",
        "--top-p 0 | 0",
        "--top-p 1.5 | 1.5",
        "--top-k -1 | -1",
        "--min-p 2 | 2",
        "--repeat-penalty 0 | 0",
        "--kv q4 | --kv",
        "--sync f64 | --sync",
        "--collective star | --collective",
        "--kernels gpu | --kernels",
        "--activations int4 | --activations",
        "--format xml | --format",
        "--listen nowhere | --listen 'nowhere'",
        "--listen 127.0.0.1:70000 | 70000",
        "--flag-that-is-none | --flag-that-is-none",
      })
  void badFlagOrValue(String flags, String part) {
    CommandRun.of(
            join(new Object[] {"generate", "--model", model, "--ids", "1"}, flags.split(" ", -1)))
        .assertRefused(part);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",", "1,", "1,,2", "one", "1.5", "1;2", "99999999999", "0x1"})
  void idsThatAreNone(String ids) {
    generateIds(ids).assertRefused("--ids", "'" + ids + "'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"270", "-1", "1,2,2147483647"})
  void idsOutsideTheVocabulary(String ids) {
    generateIds(ids)
        .assertRefused("token id " + ids.substring(ids.lastIndexOf(',') + 1), "vocabulary of 270");
  }

  @Test
  void promptLongerThanTheContext() {
    generateIds("1" + ",1".repeat(SmallModels.CONTEXT)).assertRefused("513 tokens", "holds 512");
    CommandRun.of("generate", "--model", model, "--ctx", 4, "--ids", "1,1,1,1,1")
        .assertRefused("5 tokens", "holds 4");
  }

  @Test
  void moreRanksThanCanBePlacedSaysWhichCountsCan() {
    CommandRun.of("generate", "--model", model, "--ids", "1", "--workers", 100)
        .assertRefused("100", "use");
    CommandRun.of("plan", "--model", model, "--workers", 100).assertRefused("100", "use");
  }

  @Test
  void textForAModelWithoutAVocabulary() {
    CommandRun.of("generate", "--model", model, "--prompt", "a").assertRefused("no tokenizer");
    CommandRun.of("tokenize", "--model", model, "--text", "a").assertRefused("no tokenizer");
  }

  @Test
  void invalidUtf8Text() throws IOException {
    Path text = Files.write(directory.resolve("bad.txt"), new byte[] {'a', (byte) 0xC3, '('});
    CommandRun.of("perplexity", "--model", withVocabulary, "--text-file", text)
        .assertRefused("bad.txt", "UTF-8");
  }

  @Test
  void textThatIsNotThere() {
    CommandRun.of("perplexity", "--model", withVocabulary, "--text-file", directory.resolve("no"))
        .assertRefused("no such file");
  }

  @Test
  void textWithNothingToScore() throws IOException {
    Path text = Files.writeString(directory.resolve("empty.txt"), "");
    CommandRun.of("perplexity", "--model", withVocabulary, "--text-file", text)
        .assertRefused("1 token ids", "at least 2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "[[]]",
        "null",
        "[null]",
        "[[null]]",
        "[1,2]",
        "{\"ids\":[1]}",
        "[[1.5]]",
        "[[\"1\"]]",
        "[[true]]",
        "[[1,2]",
        "[[1]] [[2]]",
        "[[99999999999]]",
        "[[[1]]]",
        "ids"
      })
  void idsFileThatHoldsNoArraysOfIds(String json) throws IOException {
    Path file = Files.writeString(directory.resolve("ids.json"), json);
    for (String command : new String[] {"logits", "perplexity"}) {
      CommandRun run = CommandRun.of(command, "--model", model, "--ids-file", file);
      run.assertRefused(json.equals("[[]]") ? "case 0 has 0 token ids" : "ids.json");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "null", "[null]", "[1]", "[1.5]", "[true]", "[[\"a\"]]", "\"a\"", "["})
  void textsFileThatHoldsNoStrings(String json) throws IOException {
    Path file = Files.writeString(directory.resolve("texts.json"), json);
    CommandRun.of("tokenize", "--model", withVocabulary, "--texts-file", file)
        .assertRefused("texts.json", "JSON array of strings");
  }

  @Test
  void deepJsonIsRefusedAndNotFollowed() throws IOException {
    Path file = Files.writeString(directory.resolve("deep.json"), "[".repeat(100_000));
    CommandRun.of("logits", "--model", model, "--ids-file", file).assertRefused("deep.json");
  }

  @Test
  void binaryIdsFile() throws IOException {
    Path file = Files.write(directory.resolve("ids.bin"), new byte[] {(byte) 0xFF, 0, 1});
    CommandRun.of("logits", "--model", model, "--ids-file", file).assertRefused("ids.bin", "UTF-8");
  }

  @Test
  void oneIdIsNoTextToScore() throws IOException {
    Path file = Files.writeString(directory.resolve("one.json"), "[[1, 2], [3]]");
    CommandRun.of("perplexity", "--model", model, "--ids-file", file)
        .assertRefused("case 1", "at least 2");
  }

  @Test
  void detokenizeOfIdsOutsideTheVocabulary() throws IOException {
    Path file = Files.writeString(directory.resolve("outside.json"), "[[5, 100000]]");
    CommandRun.of("detokenize", "--model", withVocabulary, "--ids-file", file)
        .assertRefused("100000");
  }

  @Test
  void missingAndContradictingArguments() {
    CommandRun.of("generate", "--ids", "1").assertRefused("--model");
    CommandRun.of("generate", "--model", model).assertRefused("--prompt", "--ids");
    CommandRun.of("generate", "--model", model, "--ids", "1", "--prompt", "a")
        .assertRefused("mutually exclusive");
    CommandRun.of("inspect").assertRefused("PATH");
    CommandRun.of("fly").assertRefused("fly");
  }

  @Test
  void takenPort() throws IOException {
    try (java.net.ServerSocket taken =
        new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      CommandRun.of("generate", "--model", model, "--ids", "1", "--listen", address)
          .assertRefused(address, "--listen");
    }
  }

  @Test
  void messageWithLineBreaksIsOneLine() {
    CommandRun.of("generate", "--model", "no\nfile\r\nhere", "--ids", "1").assertRefused("no file");
  }

  @Test
  void tokenizerFileThatIsNone() throws IOException {
    Path file = directory.resolve("tokenizer.json");
    Files.write(file, "{\"model\": 5}".getBytes(StandardCharsets.UTF_8));
    CommandRun.of("tokenize", "--model", file, "--text", "a").assertRefused("tokenizer.json");
  }

  private static CommandRun generateIds(String ids) {
    return CommandRun.of("generate", "--model", model, "--ids=" + ids);
  }

  private static Object[] join(Object[] first, Object[] second) {
    return java.util.stream.Stream.of(first, second).flatMap(java.util.Arrays::stream).toArray();
  }
}
