/** Talks to the server: the key, errors, event streams. */
import { signal } from "./vendor/signals.js";

const KEY = "caravan.apiKey";

/** The API key; forgotten when the tab closes. */
export const apiKey = signal(sessionStorage.getItem(KEY) ?? "");
apiKey.subscribe(key => sessionStorage.setItem(KEY, key));

/** What the server said when it refused; status is the HTTP status. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Sends a request and waits for its head.
 * @throws {Refusal} if the server answers with an error
 */
export async function request(path, options = {}) {
  const headers = { ...options.headers };
  if (apiKey.value) {
    headers.Authorization = `Bearer ${apiKey.value}`;
  }
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (!response.ok) {
    throw new Refusal(await reason(response), response.status);
  }
  return response;
}

async function reason(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error.message;
  } catch {
    return `the server answered ${response.status}`;
  }
}

/** Yields the data of each server-sent event. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split(/\r?\n/).filter(line => line.startsWith("data:"));
      if (lines.length > 0) {
        yield lines.map(line => line.slice(5).trimStart()).join("\n");
      }
    }
  }
}
