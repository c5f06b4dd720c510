/** The conversation: what was said, and the answer that is being written. */
import { batch, computed, signal } from "./vendor/signals.js";
import { events, request } from "./api.js";
import { cluster } from "./feed.js";
import { digits } from "./format.js";
import { sampling, systemPrompt } from "./settings.js";

/** Messages, the oldest first: {id, role, text, state, note}; the last three are signals. */
export const messages = signal([]);

/** The answer that is being written, or null. */
export const writing = signal(null);

/** Whether the model has a chat template; true until the server says otherwise. */
export const chats = computed(() => cluster.value?.model.chat ?? true);

let nextId = 1;
let abort = new AbortController();

/** Asks and streams the answer; does nothing while another is written. */
export async function send(text) {
  if (writing.value || text.trim() === "") {
    return;
  }
  const question = message("user", text, "done");
  const asked = [...messages.value, question];
  const answer = message("assistant", "", "writing");
  batch(() => {
    messages.value = [...asked, answer];
    writing.value = answer;
  });
  abort = new AbortController();
  const pace = new Pace();
  try {
    await stream(asked, answer, pace);
    answer.state.value = "done";
  } catch (error) {
    answer.state.value = abort.signal.aborted ? "stopped" : "failed";
    if (answer.state.value === "failed") {
      pace.end = error.message;
    }
  }
  answer.note.value = pace.summary(answer.state.value);
  writing.value = null;
}

/** Stops the answer that is being written. */
export function stop() {
  abort.abort();
}

/** Forgets everything that was said. */
export function restart() {
  stop();
  messages.value = [];
}

function message(role, text, state) {
  return { id: nextId++, role, text: signal(text), state: signal(state), note: signal("") };
}

async function stream(asked, answer, pace) {
  const response = await request(chats.value ? "/v1/chat/completions" : "/v1/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    signal: abort.signal,
    body: JSON.stringify(chats.value ? chatBody(asked) : completionBody(asked)),
  });
  for await (const data of events(response)) {
    if (data === "[DONE]") {
      return;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) {
      throw new Error(chunk.error.message);
    }
    const choice = chunk.choices?.[0];
    const piece = choice?.delta?.content ?? choice?.text ?? "";
    if (piece) {
      pace.hear();
      answer.text.value += piece;
    }
    if (choice?.finish_reason) {
      pace.end = choice.finish_reason;
    }
    if (chunk.usage) {
      pace.tokens = chunk.usage.completion_tokens;
    }
  }
  throw new Error("the answer broke off");
}

function body(more) {
  const model = cluster.value?.model.id ?? "default";
  return { model, stream: true, stream_options: { include_usage: true }, ...sampling(), ...more };
}

function chatBody(asked) {
  const said = asked
    .filter(each => each.text.value !== "")
    .map(each => ({ role: each.role, content: each.text.value }));
  const system = systemPrompt.value.trim();
  return body({ messages: system ? [{ role: "system", content: system }, ...said] : said });
}

/** A model without a chat template only continues the latest text. */
function completionBody(asked) {
  const half = Math.floor((cluster.value?.model.context_length ?? 512) / 2);
  const tokens = sampling().max_tokens ?? Math.min(256, half);
  return body({ prompt: asked.at(-1).text.value, max_tokens: tokens });
}

/** How fast an answer arrives, as the reader feels it. */
class Pace {
  constructor() {
    this.startMillis = performance.now();
    this.firstMillis = 0;
    this.lastMillis = 0;
    this.tokens = 0;
    this.end = "";
  }

  hear() {
    this.lastMillis = performance.now();
    if (this.tokens === 0) {
      this.firstMillis = this.lastMillis;
    }
    this.tokens++;
  }

  summary(state) {
    const parts = [];
    if (this.firstMillis > 0) {
      parts.push(`${this.tokens} token${this.tokens === 1 ? "" : "s"}`);
      const seconds = (this.lastMillis - this.firstMillis) / 1000;
      if (this.tokens > 1 && seconds > 0) {
        parts.push(`${digits((this.tokens - 1) / seconds)} tokens/s`);
      }
      parts.push(`first after ${((this.firstMillis - this.startMillis) / 1000).toFixed(2)} s`);
    }
    if (state === "stopped") {
      parts.push("stopped");
    } else if (state === "failed") {
      parts.push(this.end);
    } else if (this.end === "length") {
      parts.push("length limit");
    }
    return parts.join(" · ");
  }
}
