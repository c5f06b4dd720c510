/** The page: header, tabs, and both views. */
import { render } from "./vendor/preact.js";
import { signal } from "./vendor/signals.js";
import { ChatView } from "./chat-view.js";
import { ClusterView } from "./cluster-view.js";
import { cluster, follow, trouble } from "./feed.js";
import { html } from "./html.js";

const VIEWS = [
  { id: "chat", name: "Chat", view: ChatView },
  { id: "cluster", name: "Cluster", view: ClusterView },
];

/** The view that a narrow screen shows. */
const shown = signal("chat");

function App() {
  return html`
    <header class="top">
      <svg class="mark" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <rect x="2" y="11" width="5.4" height="10" rx="1.6" />
        <rect x="9.3" y="3" width="5.4" height="18" rx="1.6" />
        <rect x="16.6" y="8" width="5.4" height="13" rx="1.6" />
      </svg>
      <h1>Caravan</h1>
      <span class="model">${cluster.value?.model.id}</span>
      <${State} />
    </header>
    <${Tabs} />
    <main class=${cluster.value && trouble.value ? "stale" : ""}>
      ${VIEWS.map(({ id, name, view: View }) => html`
        <section key=${id} id=${id} class="view ${shown.value === id ? "shown" : ""}"
          aria-label=${name}><${View} /></section>`)}
    </main>`;
}

function State() {
  const state = trouble.value
    ? trouble.value.status === 503 ? "not ready" : trouble.value.status === 401 ? "key needed" : "offline"
    : cluster.value.engine.state;
  return html`
    <span class="pill ${state.replace(" ", "-")}" role="status"
      title=${trouble.value?.message}>${state}</span>`;
}

/** Seen on narrow screens only. */
function Tabs() {
  const move = event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const index = VIEWS.findIndex(({ id }) => id === shown.value);
      shown.value = VIEWS[(index + step + VIEWS.length) % VIEWS.length].id;
      event.currentTarget.querySelector(`[aria-controls=${shown.value}]`).focus();
    }
  };
  return html`
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown=${move}>
      ${VIEWS.map(({ id, name }) => html`
        <button key=${id} type="button" role="tab" aria-controls=${id}
          aria-selected=${shown.value === id} tabindex=${shown.value === id ? 0 : -1}
          onClick=${() => (shown.value = id)}>${name}</button>`)}
    </div>`;
}

render(html`<${App} />`, document.body);
follow();
