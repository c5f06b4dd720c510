/** The chat: messages, composer, settings. */
import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { useSignal, useSignalEffect } from "./vendor/signals.js";
import { apiKey } from "./api.js";
import { chats, messages, restart, send, stop, writing } from "./conversation.js";
import { cluster, trouble } from "./feed.js";
import { html } from "./html.js";
import { fields, systemPrompt } from "./settings.js";

const NEAR_END_PIXELS = 80;

export function ChatView() {
  const open = useSignal(false);
  return html`
    <div class="bar-top">
      <h2>Chat</h2>
      <button class="quiet" type="button" aria-expanded=${open.value} aria-controls="settings"
        onClick=${() => (open.value = !open.value)}>Settings</button>
      <button class="quiet" type="button" disabled=${messages.value.length === 0}
        onClick=${restart}>New chat</button>
    </div>
    ${open.value && html`<${Settings} />`}
    <${Messages} />
    <${Composer} />`;
}

function Settings() {
  return html`
    <form id="settings" class="settings" aria-label="Sampling settings"
      onSubmit=${event => event.preventDefault()}>
      ${fields.map(field => html`
        <label key=${field.name}>${field.label}
          <input type="number" name=${field.name} min=${field.min} max=${field.max}
            step=${field.step} placeholder="default" value=${field.value.value}
            onInput=${event => (field.value.value = event.currentTarget.value)} />
        </label>`)}
      <label class="wide">System prompt
        <textarea name="system" rows="2" placeholder="none" value=${systemPrompt.value}
          onInput=${event => (systemPrompt.value = event.currentTarget.value)}></textarea>
      </label>
      <label class="wide">API key
        <input type="password" name="key" autocomplete="off" placeholder="none"
          value=${apiKey.value}
          onChange=${event => (apiKey.value = event.currentTarget.value.trim())} />
      </label>
    </form>`;
}

function Messages() {
  const list = useRef(null);
  useSignalEffect(() => {
    // Reads the text so that it runs with every piece; stays away from who scrolled up to read.
    const length = messages.value.at(-1)?.text.value.length ?? 0;
    const box = list.current;
    if (box && (length === 0 || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PIXELS)) {
      requestAnimationFrame(() => box.scrollTo({ top: box.scrollHeight }));
    }
  });
  return html`
    <div class="messages" ref=${list} role="log" aria-label="Conversation" tabindex="0"
      aria-busy=${writing.value !== null}>
      ${messages.value.length === 0 && html`<${Welcome} />`}
      ${messages.value.map(message => html`<${Message} key=${message.id} message=${message} />`)}
    </div>`;
}

function Welcome() {
  const snapshot = cluster.value;
  const workers = snapshot?.workers.length ?? 0;
  return html`
    <div class="welcome">
      <p class="welcome-title">${chats.value ? "Ask something." : "Begin a text."}</p>
      ${snapshot && html`<p>
        <strong>${snapshot.model.id}</strong> answers
        over ${workers} worker${workers === 1 ? "" : "s"}.</p>`}
      ${!chats.value && html`<p>
        This model has no chat template: it continues your text and remembers nothing.</p>`}
    </div>`;
}

function Message({ message }) {
  const state = message.state.value;
  return html`
    <article class="message ${message.role} ${state}"
      aria-label=${message.role === "user" ? "You" : "Answer"}>
      <div class="text">${message.text}${state === "writing" && html`<i class="caret"></i>`}</div>
      ${message.note.value && html`<p class="note">${message.note}</p>`}
    </article>`;
}

function Composer() {
  const text = useSignal("");
  const field = useRef(null);
  const busy = writing.value !== null;
  useEffect(() => field.current.focus(), []);
  const submit = event => {
    event.preventDefault();
    if (!busy && text.value.trim() !== "") {
      send(text.value);
      text.value = "";
    }
  };
  const press = event => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      submit(event);
    } else if (event.key === "Escape" && busy) {
      stop();
    }
  };
  return html`
    <form class="composer" onSubmit=${submit}>
      <textarea ref=${field} rows="1" aria-label="Message" value=${text.value}
        placeholder=${chats.value ? "Message" : "Text to continue"}
        onInput=${event => (text.value = event.currentTarget.value)} onKeyDown=${press}></textarea>
      ${busy
        ? html`<button class="primary stop" type="button" key="stop" onClick=${stop}>Stop</button>`
        : html`<button class="primary" type="submit" key="send"
            disabled=${text.value.trim() === "" || trouble.value?.status === 503}>Send</button>`}
    </form>`;
}
