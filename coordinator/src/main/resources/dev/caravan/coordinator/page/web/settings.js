/** How answers are sampled; an empty field leaves the choice to the server. */
import { signal } from "./vendor/signals.js";

const KEY = "caravan.settings";
const kept = read();

/** Fields in the order of the form; name is the API's parameter. */
export const fields = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.1, start: "0.7" },
  { name: "top_p", label: "Top p", min: 0, max: 1, step: 0.05, start: "" },
  { name: "top_k", label: "Top k", min: 0, max: 1000, step: 1, start: "" },
  { name: "min_p", label: "Min p", min: 0, max: 1, step: 0.01, start: "" },
  { name: "max_tokens", label: "Max tokens", min: 1, max: 1000000, step: 1, start: "" },
  { name: "seed", label: "Seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, start: "" },
].map(field => ({ ...field, value: signal(kept[field.name] ?? field.start) }));

export const systemPrompt = signal(kept.system ?? "");

for (const each of [...fields.map(field => field.value), systemPrompt]) {
  each.subscribe(keep);
}

/** The fields that are filled, as parameters of a request. */
export function sampling() {
  const filled = fields.filter(field => field.value.value !== "");
  return Object.fromEntries(filled.map(field => [field.name, Number(field.value.value)]));
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function keep() {
  const values = Object.fromEntries(fields.map(field => [field.name, field.value.peek()]));
  sessionStorage.setItem(KEY, JSON.stringify({ ...values, system: systemPrompt.peek() }));
}
