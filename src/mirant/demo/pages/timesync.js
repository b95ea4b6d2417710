/** The time page: the server's clock, and how the estimate of it settles. */
import { Connection, element } from "./connection.js";
import { plot } from "./plot.js";

const FIRST_SAMPLES = 10;
const PAUSE = 150; // ms between samples: apart enough to meet different moments of the network
const MAX_POINTS = 60;

/** @typedef {{ offset: number, lag: number, estimate: number, at: number }} Point */

const connection = new Connection();
const { timesync } = connection;
/** @type {Point[]} */
const points = [];
let taken = 0;

/** @param {number} value milliseconds */
const signed = (value) => {
  const size = Math.abs(value);
  const text = size < 1_000 ? `${size.toFixed(1)} ms` : size < 120_000 ? `${(size / 1_000).toFixed(2)} s` : `${(size / 60_000).toFixed(1)} min`;
  return `${value < 0 ? "−" : "+"}${text}`;
};

/** @param {Date} date */
const clockTime = (date) => date.toISOString().slice(11, 19);

function showClock() {
  element("own").textContent = clockTime(new Date());
  if (taken > 0) {
    const now = timesync.serverDate();
    const fraction = document.createElement("span");
    fraction.className = "fraction";
    fraction.textContent = `.${now.toISOString().slice(20, 21)}`;
    const clock = element("clock");
    clock.dateTime = now.toISOString();
    clock.replaceChildren(clockTime(now), fraction);
    element("day").textContent = now.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  }
  requestAnimationFrame(showClock);
}

function draw() {
  plot(element("plot"), points, taken - points.length + 1);
}

/** @param {{ offset: number, lag: number }} sample */
function sampleTaken({ offset, lag }) {
  taken += 1;
  points.push({ offset, lag, estimate: timesync.offset, at: timesync.serverTime() });
  if (points.length > MAX_POINTS) points.shift();
  element("offset").textContent = signed(timesync.offset);
  element("lag").textContent = `${timesync.lag.toFixed(1)} ms`;
  element("count").textContent = String(taken);
  draw();
  element("plot-summary").textContent =
    `${taken} samples. The estimate is ${signed(timesync.offset)}; the last sample said ${signed(offset)}, give or take ${lag.toFixed(1)} milliseconds.`;
  showRow(points[points.length - 1]);
}

/** @param {Point} point */
function showRow({ offset, lag, at }) {
  const rows = element("samples");
  const row = rows.insertRow(0);
  for (const cell of [String(taken), clockTime(new Date(at)), signed(offset), `${lag.toFixed(1)} ms`]) row.insertCell().textContent = cell;
  if (rows.rows.length > MAX_POINTS) rows.deleteRow(-1);
}

/** @param {number} count */
async function take(count) {
  element("sample-problem").textContent = "";
  for (const id of ["sample", "sample-ten"]) element(id).disabled = true;
  try {
    for (let left = count; left > 0; left--) {
      if (!(await timesync.sample(connection.bus))) throw new Error("the server does not offer timesync.");
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    element("sample-problem").textContent = `No sample: ${/** @type {Error} */ (error).message}`;
  } finally {
    for (const id of ["sample", "sample-ten"]) element(id).disabled = false;
  }
}

timesync.addEventListener("sample", ({ detail }) => sampleTaken(detail));
element("sample").addEventListener("click", () => void take(1));
element("sample-ten").addEventListener("click", () => void take(10));
connection.addEventListener("bus", () => void connection.bus.connect().then(() => take(FIRST_SAMPLES), () => {}));
new ResizeObserver(draw).observe(element("plot"));
showClock();
await connection.open();
