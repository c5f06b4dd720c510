/** Turns numbers into short texts for people. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** 1536 -> "1.5 KiB". */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${digits(value)} ${UNITS[unit]}`;
}

/** Three digits are enough for people. */
export function digits(value) {
  if (value >= 100 || Number.isInteger(value)) {
    return Math.round(value).toLocaleString("en");
  }
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** 0.0123 -> "12.3 ms". */
export function duration(seconds) {
  return seconds < 1 ? `${digits(seconds * 1000)} ms` : `${digits(seconds)} s`;
}

/** Percent of a whole; nothing of nothing is 0. */
export function percent(part, whole) {
  return whole > 0 ? (100 * part) / whole : 0;
}

/** A half-open range as people count: [0, 4] -> "0–3". */
export function range([start, end]) {
  if (start === end) {
    return "–";
  }
  return end - start === 1 ? `${start}` : `${start}–${end - 1}`;
}
