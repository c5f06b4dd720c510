/** A small plot of one number over time. */
import { html } from "./html.js";

const WIDTH = 300;
const HEIGHT = 56;

/** Draws the values as an area, the newest at the right; scaled to the largest. */
export function Plot({ values, label }) {
  const peak = Math.max(...values);
  const scale = Math.max(1, peak);
  const x = index => ((index * WIDTH) / (values.length - 1)).toFixed(1);
  const y = value => (HEIGHT - 2 - ((HEIGHT - 6) * value) / scale).toFixed(1);
  const line = values.map((value, index) => `${x(index)},${y(value)}`).join(" L");
  return html`
    <figure class="plot">
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img"
        aria-label="${label}; at most ${peak}">
        <path class="area" d="M0,${HEIGHT} L${line} L${WIDTH},${HEIGHT} Z" />
        <path class="line" d="M${line}" vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption><span>60 s ago</span><span>peak ${peak}</span><span>now</span></figcaption>
    </figure>`;
}
