/** Follows the cluster for as long as the page is visible. */
import { signal } from "./vendor/signals.js";
import { apiKey, events, request } from "./api.js";

const RETRY_MILLIS = 2000;

/** The latest snapshot of /v1/cluster; null before the first. */
export const cluster = signal(null);

/** Why there is no fresh snapshot; null while they arrive. */
export const trouble = signal({ message: "connecting", status: 0 });

let watching = new AbortController();

/** Starts to follow; never ends. */
export async function follow() {
  document.addEventListener("visibilitychange", restart);
  apiKey.subscribe(restart);
  for (;;) {
    watching = new AbortController();
    if (!document.hidden) {
      await watch(watching.signal);
    }
    await pause(watching.signal);
  }
}

async function watch(signal) {
  try {
    const headers = { Accept: "text/event-stream" };
    const response = await request("/v1/cluster", { headers, signal });
    for await (const data of events(response)) {
      cluster.value = JSON.parse(data);
      trouble.value = null;
    }
  } catch (error) {
    if (!signal.aborted) {
      const status = error.status ?? 0;
      trouble.value = { message: status ? error.message : "the server cannot be reached", status };
    }
  }
}

function pause(signal) {
  return new Promise(done => {
    if (signal.aborted && !document.hidden) {
      done();
      return;
    }
    const timer = setTimeout(done, RETRY_MILLIS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}

function restart() {
  watching.abort();
}
