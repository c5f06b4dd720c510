// Talks to a server with the official clients, unchanged. Prints "passed NAME" for each check; any failure ends it.
// Usage: node clients.mjs BASE_URL API_KEY MODEL
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";

const [baseURL, apiKey, model] = process.argv.slice(2);
const openai = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const provider = createOpenAICompatible({ name: "caravan", baseURL, apiKey, supportsStructuredOutputs: true });
const messages = [{ role: "user", content: "Once upon a time" }];
const short = { model, messages, max_tokens: 12, temperature: 0 };
const colours = {
  type: "object",
  properties: { colour: { type: "string", enum: ["red", "blue"] } },
  required: ["colour"],
  additionalProperties: false,
};
const paint = { type: "function", function: { name: "paint", parameters: colours } };

async function check(name, body) {
  await body();
  console.log("passed " + name);
}

await check("openai: chat and stream say the same", async () => {
  const whole = await openai.chat.completions.create(short);
  assert.equal(whole.choices[0].finish_reason, "length");
  assert.equal(whole.usage.completion_tokens, 12);
  let text = "";
  let usage;
  for await (const chunk of await openai.chat.completions.create({
    ...short,
    stream: true,
    stream_options: { include_usage: true },
  })) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.ok(text.length > 10);
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, 12);
});

await check("openai: logprobs", async () => {
  const answer = await openai.chat.completions.create({ ...short, logprobs: true, top_logprobs: 3 });
  const tokens = answer.choices[0].logprobs.content;
  assert.equal(tokens.map((token) => token.token).join(""), answer.choices[0].message.content);
  assert.equal(tokens[0].top_logprobs.length, 3);
  assert.equal(tokens[0].top_logprobs[0].token, tokens[0].token);
});

await check("openai: JSON schema and tools", async () => {
  const json = await openai.chat.completions.create({
    ...short,
    max_tokens: 60,
    response_format: { type: "json_schema", json_schema: { name: "c", strict: true, schema: colours } },
  });
  assert.ok(["red", "blue"].includes(JSON.parse(json.choices[0].message.content).colour));
  const stream = openai.chat.completions.stream({ ...short, max_tokens: 60, tools: [paint], tool_choice: "required", parallel_tool_calls: false });
  const call = (await stream.finalChatCompletion()).choices[0];
  assert.equal(call.finish_reason, "tool_calls");
  assert.equal(call.message.tool_calls[0].function.name, "paint");
  assert.ok(["red", "blue"].includes(JSON.parse(call.message.tool_calls[0].function.arguments).colour));
});

await check("openai: errors are mapped", async () => {
  await assert.rejects(openai.chat.completions.create({ ...short, model: "other" }), OpenAI.NotFoundError);
  await assert.rejects(openai.chat.completions.create({ ...short, top_p: 7 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "top_p");
    return true;
  });
  const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

await check("openai: a stream can be given up", async () => {
  const stream = await openai.chat.completions.create({ ...short, max_tokens: 400, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) break;
  }
  stream.controller.abort();
  assert.equal((await openai.models.list()).data[0].id, model);
});

await check("ai-sdk: text and stream say the same", async () => {
  const options = { model: provider(model), prompt: "Once upon a time", maxOutputTokens: 12, temperature: 0 };
  const whole = await generateText(options);
  let text = "";
  for await (const part of streamText(options).textStream) text += part;
  assert.ok(text.length > 10);
  assert.equal(text, whole.text);
});

await check("ai-sdk: object and tool call", async () => {
  const options = { model: provider(model), prompt: "Once upon a time", maxOutputTokens: 60, temperature: 0 };
  const { object } = await generateObject({ ...options, schema: jsonSchema(colours) });
  assert.ok(["red", "blue"].includes(object.colour));
  const { toolCalls } = await generateText({
    ...options,
    tools: { paint: tool({ inputSchema: jsonSchema(colours) }) },
    toolChoice: "required",
    providerOptions: { caravan: { parallel_tool_calls: false } },
  });
  assert.equal(toolCalls[0].toolName, "paint");
  assert.ok(["red", "blue"].includes(toolCalls[0].input.colour));
});
