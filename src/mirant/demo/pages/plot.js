/**
 * Draws how the estimate of a clock's offset settles: each sample, what its lag leaves open, and the
 * estimate in use. The axis counts from the latest estimate: a clock may be an hour off, the samples
 * differ by milliseconds.
 */

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 76; // room for the figures of the axis
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 34;
const LEAST_SPAN = 2; // ms: a smaller spread is noise, not worth the whole height

/** @typedef {{ offset: number, lag: number, estimate: number }} Point */

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * @param {number} span
 * @returns {number} 1, 2 or 5 times a power of ten, so that a span has three to six steps
 */
function step(span) {
  const power = 10 ** Math.floor(Math.log10(span / 3));
  const times = [1, 2, 5, 10].find((each) => (each * power * 6) >= span) ?? 10;
  return times * power;
}

/** @param {Point[]} points */
function range(points) {
  const low = Math.min(...points.map(({ offset, lag }) => offset - lag));
  const high = Math.max(...points.map(({ offset, lag }) => offset + lag));
  const margin = Math.max(LEAST_SPAN - (high - low), (high - low) * 0.16) / 2;
  return { low: low - margin, high: high + margin };
}

/**
 * @param {SVGElement} svg as large as it is on the page
 * @param {Point[]} points oldest first
 * @param {number} first the number of the first point
 */
export function plot(svg, points, first) {
  if (points.length === 0) return svg.replaceChildren();
  const { width, height } = svg.getBoundingClientRect();
  const zero = points[points.length - 1].estimate;
  const { low, high } = range(points);
  const slots = Math.max(points.length, 10);
  const x = (/** @type {number} */ index) => LEFT + ((index + 0.5) * (width - LEFT - RIGHT)) / slots;
  const y = (/** @type {number} */ value) => TOP + ((high - value) * (height - TOP - BOTTOM)) / (high - low);
  const line = points.map(({ estimate }, index) => `${x(index).toFixed(1)},${y(estimate).toFixed(1)}`).join(" ");
  svg.replaceChildren(
    ...grid(low - zero, high - zero, (value) => y(value + zero), width - RIGHT),
    ...points.map(({ offset, lag }, index) =>
      shape("line", { class: "reach", x1: x(index), x2: x(index), y1: y(offset + lag), y2: y(offset - lag) })),
    shape("polyline", { class: "mean", points: line }),
    ...points.map(({ offset }, index) => shape("circle", { class: "sample", cx: x(index), cy: y(offset), r: 4.5 })),
    ...points.flatMap((_, index) => (index % Math.ceil((slots * 36) / width) ? [] :
      shape("text", { x: x(index), y: height - 10, "text-anchor": "middle" }, String(first + index)))),
  );
}

/**
 * @param {number} low
 * @param {number} high
 * @param {(value: number) => number} y
 * @param {number} right where the lines end
 */
function* grid(low, high, y, right) {
  const every = step(high - low);
  const digits = Math.max(0, -Math.floor(Math.log10(every)));
  for (let count = Math.ceil(low / every); count * every <= high; count++) {
    const at = y(count * every);
    const sign = count > 0 ? "+" : count < 0 ? "−" : "";
    yield shape("line", { class: count ? "grid" : "zero", x1: LEFT, x2: right, y1: at, y2: at });
    yield shape("text", { x: LEFT - 10, y: at + 4, "text-anchor": "end" }, `${sign}${Math.abs(count * every).toFixed(digits)} ms`);
  }
}
