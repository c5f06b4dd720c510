package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The official Java clients, unchanged, against a cluster of worker JVMs. */
@Timeout(240)
class JavaClientsIT {
  private static final String PROMPT = "Once upon a time";
  private static final int TOKENS = 12;
  private static final Map<String, Object> COLOURS =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of("colour", Map.of("type", "string", "enum", List.of("red", "blue"))),
          "required",
          List.of("colour"),
          "additionalProperties",
          false);

  @TempDir static Path directory;
  private static ServedDemo served;
  private static OpenAIClient openai;

  @BeforeAll
  static void start() throws Exception {
    served = ServedDemo.start(directory);
    openai = client(ServedDemo.KEY);
  }

  @AfterAll
  static void stop() {
    openai.close();
    served.close();
  }

  @Test
  void openaiGetsTheSameTextWholeAndInParts() {
    ChatCompletion whole = openai.chat().completions().create(chat().build());
    String text = whole.choices().getFirst().message().content().orElseThrow();
    assertThat(text).hasSizeGreaterThan(10);
    assertThat(whole.usage().orElseThrow().completionTokens()).isEqualTo(TOKENS);
    try (StreamResponse<ChatCompletionChunk> stream =
        openai.chat().completions().createStreaming(chat().build())) {
      String parts =
          stream.stream()
              .flatMap(chunk -> chunk.choices().stream())
              .flatMap(choice -> choice.delta().content().stream())
              .collect(Collectors.joining());
      assertThat(parts).isEqualTo(text);
    }
  }

  @Test
  void openaiGetsLogprobs() {
    ChatCompletion answer =
        openai.chat().completions().create(chat().logprobs(true).topLogprobs(2).build());
    var tokens = answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
    assertThat(tokens).hasSize(TOKENS);
    assertThat(tokens.getFirst().topLogprobs()).hasSize(2);
    assertThat(tokens.getFirst().logprob())
        .isEqualTo(tokens.getFirst().topLogprobs().getFirst().logprob());
  }

  @Test
  void openaiGetsJsonOfASchema() throws Exception {
    ResponseFormatJsonSchema.JsonSchema.Schema.Builder schema =
        ResponseFormatJsonSchema.JsonSchema.Schema.builder();
    COLOURS.forEach((name, value) -> schema.putAdditionalProperty(name, JsonValue.from(value)));
    ResponseFormatJsonSchema format =
        ResponseFormatJsonSchema.builder()
            .jsonSchema(
                ResponseFormatJsonSchema.JsonSchema.builder()
                    .name("colours")
                    .schema(schema.build())
                    .build())
            .build();
    ChatCompletion answer =
        openai
            .chat()
            .completions()
            .create(chat().maxCompletionTokens(60).responseFormat(format).build());
    assertColour(answer.choices().getFirst().message().content().orElseThrow());
  }

  @Test
  void openaiGetsToolCalls() throws Exception {
    FunctionParameters.Builder parameters = FunctionParameters.builder();
    COLOURS.forEach((name, value) -> parameters.putAdditionalProperty(name, JsonValue.from(value)));
    ChatCompletion answer =
        openai
            .chat()
            .completions()
            .create(
                chat()
                    .maxCompletionTokens(60)
                    .addFunctionTool(
                        FunctionDefinition.builder()
                            .name("paint")
                            .parameters(parameters.build())
                            .build())
                    .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                    .parallelToolCalls(false)
                    .build());
    ChatCompletion.Choice choice = answer.choices().getFirst();
    assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
    var function = choice.message().toolCalls().orElseThrow().getFirst().asFunction().function();
    assertThat(function.name()).isEqualTo("paint");
    assertColour(function.arguments());
  }

  @Test
  void openaiMapsErrors() {
    assertThatThrownBy(() -> openai.chat().completions().create(chat().model("other").build()))
        .isInstanceOf(NotFoundException.class);
    BadRequestException hot =
        catchThrowableOfType(
            BadRequestException.class,
            () -> openai.chat().completions().create(chat().topP(7).build()));
    assertThat(hot.param()).contains("top_p");
    OpenAIClient stranger = client("wrong");
    assertThatThrownBy(() -> stranger.models().list()).isInstanceOf(UnauthorizedException.class);
    stranger.close();
  }

  @Test
  void openaiGivesUpAStreamAndTheServerGoesOn() {
    try (StreamResponse<ChatCompletionChunk> stream =
        openai.chat().completions().createStreaming(chat().maxCompletionTokens(400).build())) {
      assertThat(stream.stream().limit(3).count()).isEqualTo(3);
    }
    assertThat(openai.models().list().data().getFirst().id()).isEqualTo(served.id());
  }

  @Test
  void langchain4jGetsTheSameTextWholeAndInParts() throws Exception {
    String text = langchain4j().chat(PROMPT);
    assertThat(text).hasSizeGreaterThan(10);
    CompletableFuture<String> streamed = new CompletableFuture<>();
    StringBuilder parts = new StringBuilder();
    OpenAiStreamingChatModel.builder()
        .baseUrl(served.address() + "/v1")
        .apiKey(ServedDemo.KEY)
        .modelName(served.id())
        .temperature(0.0)
        .maxTokens(TOKENS)
        .build()
        .chat(
            PROMPT,
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String part) {
                parts.append(part);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                streamed.complete(response.aiMessage().text());
              }

              @Override
              public void onError(Throwable error) {
                streamed.completeExceptionally(error);
              }
            });
    assertThat(streamed.get(60, TimeUnit.SECONDS)).isEqualTo(text);
    assertThat(parts.toString()).isEqualTo(text);
  }

  @Test
  void langchain4jGetsToolCalls() throws Exception {
    ChatResponse response =
        langchain4j()
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from(PROMPT))
                    .maxOutputTokens(60)
                    .toolSpecifications(
                        ToolSpecification.builder()
                            .name("paint")
                            .parameters(
                                JsonObjectSchema.builder()
                                    .addEnumProperty("colour", List.of("red", "blue"))
                                    .required("colour")
                                    .build())
                            .build())
                    .toolChoice(ToolChoice.REQUIRED)
                    .build());
    ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isEqualTo("paint");
    assertColour(call.arguments());
  }

  private static OpenAiChatModel langchain4j() {
    return OpenAiChatModel.builder()
        .baseUrl(served.address() + "/v1")
        .apiKey(ServedDemo.KEY)
        .modelName(served.id())
        .temperature(0.0)
        .maxTokens(TOKENS)
        .parallelToolCalls(false)
        .build();
  }

  private static ChatCompletionCreateParams.Builder chat() {
    return ChatCompletionCreateParams.builder()
        .model(served.id())
        .addUserMessage(PROMPT)
        .temperature(0)
        .maxCompletionTokens(TOKENS);
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(served.address() + "/v1")
        .apiKey(key)
        .maxRetries(0)
        .build();
  }

  private static void assertColour(String json) throws Exception {
    JsonNode object = new ObjectMapper().readTree(json);
    assertThat(object.get("colour").textValue()).isIn("red", "blue");
    assertThat(object).hasSize(1);
  }
}
