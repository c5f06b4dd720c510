/** The live cluster: what it does, and who does it. */
import { bytes, digits, duration, percent, range } from "./format.js";
import { cluster, trouble } from "./feed.js";
import { html } from "./html.js";
import { Plot } from "./plot.js";

const MOST_COLUMNS = 4;

export function ClusterView() {
  const snapshot = cluster.value;
  if (!snapshot) {
    return html`
      <div class="bar-top"><h2>Cluster</h2></div>
      <p class="quiet-text">${trouble.value?.message}</p>`;
  }
  return html`
    <div class="bar-top"><h2>Cluster</h2><p class="shape">${shape(snapshot)}</p></div>
    <${Rate} snapshot=${snapshot} />
    <${Numbers} engine=${snapshot.engine} />
    <${Grid} snapshot=${snapshot} />`;
}

function shape({ stages, ranks }) {
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return `${plural(stages, "stage")} × ${plural(ranks, "rank")}`;
}

function Rate({ snapshot }) {
  return html`
    <section class="card rate" aria-label="Tokens per second">
      <p class="figure"><b>${digits(snapshot.tokens_per_second)}</b><span>tokens/s</span></p>
      <${Plot} values=${snapshot.tokens_history} label="Tokens in each of the last 60 seconds" />
    </section>`;
}

function Numbers({ engine }) {
  const used = percent(engine.kv_blocks_used, engine.kv_blocks_total);
  const cached = percent(engine.kv_blocks_cached, engine.kv_blocks_total);
  const hits = percent(engine.prefix_hit_tokens, engine.prefix_queried_tokens);
  return html`
    <dl class="card numbers">
      <div><dt>Running</dt><dd>${engine.running}</dd></div>
      <div><dt>Waiting</dt><dd>${engine.waiting}</dd></div>
      <div><dt>Prefix hits</dt><dd>${digits(Math.round(hits))}<small> %</small></dd></div>
      <div><dt>Preemptions</dt><dd>${engine.preemptions.toLocaleString("en")}</dd></div>
      <div class="kv"><dt>KV cache</dt><dd>${digits(Math.round(used))}<small> %</small></dd>
        <${Bar} label="KV cache: ${engine.kv_blocks_used} of ${engine.kv_blocks_total} blocks in use, ${engine.kv_blocks_cached} cached"
          parts=${[["kv-used", used], ["kv-cached", cached]]} /></div>
    </dl>`;
}

/** A bar of parts, each [class, percent of the whole]. */
function Bar({ parts, label }) {
  return html`
    <span class="bar" role="img" aria-label=${label} title=${label}>
      ${parts.map(([kind, width]) => html`<i class=${kind} style=${{ width: `${width}%` }}></i>`)}
    </span>`;
}

function Grid({ snapshot }) {
  const largest = Math.max(...snapshot.workers.map(each => each.weight_bytes + each.kv_bytes));
  const stages = [];
  for (let stage = 0; stage < snapshot.stages; stage++) {
    stages.push(snapshot.workers.filter(worker => worker.shard.stage === stage));
  }
  return html`
    <section class="grid" aria-label="Workers">
      <ul class="legend" aria-hidden="true">
        <li class="weights">weights</li><li class="kv-used">KV cache</li>
        <li class="compute">compute</li><li class="sync">sync</li><li class="wait">wait</li>
      </ul>
      ${stages.map((workers, stage) => html`
        <div class="stage" key=${stage}>
          <h3>${snapshot.stages > 1 ? `Stage ${stage} · layers` : "Layers"}
            ${" "}${range(workers[0].shard.layers)}</h3>
          <ul class="ranks" style=${{ "--columns": columns(workers.length) }}>
            ${workers.map(worker => html`
              <${Worker} key=${worker.id} worker=${worker} snapshot=${snapshot}
                largest=${largest} />`)}
          </ul>
        </div>`)}
    </section>`;
}

/** Cards in a row of a wide screen: few enough to read, and rows of equal length. */
function columns(count) {
  return Math.ceil(count / Math.ceil(count / MOST_COLUMNS));
}

function Worker({ worker, snapshot, largest }) {
  const { shard } = worker;
  const { model, engine } = snapshot;
  return html`
    <li class="card worker ${worker.up ? "up" : "lost"}"
      aria-label="Worker ${worker.id}, stage ${shard.stage}, rank ${shard.rank}">
      <div class="worker-head">
        <strong>${worker.id}</strong>
        <span class="state">${worker.up ? "up" : "lost"}</span>
      </div>
      <p class="address">${worker.address}</p>
      <dl>
        <${Share} name="Heads" held=${shard.heads} of=${model.heads} />
        <${Share} name="KV heads" held=${shard.kv_heads} of=${model.kv_heads} />
        <${Share} name="FFN" held=${shard.ffn_columns} of=${model.ffn_columns} />
        <${Share} name="Vocab" held=${shard.vocab_rows} of=${model.vocab_size} />
        <${Memory} worker=${worker} engine=${engine} largest=${largest} />
        <${Times} times=${worker.times} steps=${snapshot.recent_steps} />
      </dl>
    </li>`;
}

/** Where a worker's share lies in the whole. */
function Share({ name, held, of }) {
  const left = `${percent(held[0], of)}%`;
  const width = `${percent(held[1] - held[0], of)}%`;
  const empty = held[0] === held[1];
  return html`
    <div><dt>${name}</dt><dd>${range(held)}</dd>
      <span class="track" aria-hidden="true">
        ${!empty && html`<i style=${{ left, width }}></i>`}</span></div>`;
}

function Memory({ worker, engine, largest }) {
  const filled = worker.kv_bytes * (percent(engine.kv_blocks_used, engine.kv_blocks_total) / 100);
  const label = `${bytes(worker.weight_bytes)} weights, ${bytes(worker.kv_bytes)} KV cache`;
  return html`
    <div class="measure"><dt>Memory</dt><dd>${bytes(worker.weight_bytes + worker.kv_bytes)}</dd>
      <${Bar} label=${label} parts=${[
        ["weights", percent(worker.weight_bytes, largest)],
        ["kv-used", percent(filled, largest)],
        ["kv-free", percent(worker.kv_bytes - filled, largest)],
      ]} /></div>`;
}

function Times({ times, steps }) {
  const all = times.compute_seconds + times.sync_seconds;
  const compute = percent(times.compute_seconds, all);
  const wait = percent(times.wait_seconds, all);
  const sync = percent(times.sync_seconds - times.wait_seconds, all);
  const label = `compute ${Math.round(compute)} %, sync ${Math.round(sync)} %, wait ${Math.round(wait)} %`;
  return html`
    <div class="measure"><dt>Step</dt>
      <dd>${steps > 0 ? duration(all / steps) : "none yet"}</dd>
      <${Bar} label=${label} parts=${[["compute", compute], ["sync", sync], ["wait", wait]]} /></div>`;
}
