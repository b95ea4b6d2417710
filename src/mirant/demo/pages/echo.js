/** The echo page: one remote call with any JSON, and bursts of calls with their distribution. */
import { Connection, element, transportName } from "./connection.js";
import { summary } from "./summary.js";

/** @type {Record<string, unknown>} */
const EXAMPLES = {
  object: { symbol: "ORCL", price: 41.5, tags: ["tech", "“quoted”"], open: true, when: null },
  text: "Grüße, 世界, ☄",
  list: [1, -2.5, 1e21, "three", [4, [5, [6]]], {}],
  null: null,
  large: { text: "comet ".repeat(8_500) },
};
const MAX_SHOWN = 20_000; // characters; a longer answer is cut on the page, never in the comparison

const connection = new Connection();

/** @returns {{ data: unknown } | null} what is in the editor, or null (and the page says why) when it is no JSON */
function edited() {
  const editor = element("data");
  try {
    const data = JSON.parse(editor.value);
    editor.ariaInvalid = "false";
    element("data-problem").textContent = "";
    return { data };
  } catch (error) {
    editor.ariaInvalid = "true";
    const why = editor.value.trim() ? /** @type {Error} */ (error).message : "nothing to send; for no data send null";
    element("data-problem").textContent = `Not JSON: ${why}`;
    return null;
  }
}

/** What is known of an answer is not about other data. */
function changed() {
  edited();
  if (element("answer").dataset.outcome) show("answered", "", "Not called with this data yet.", "hint", "");
}

/** @param {unknown} value */
const indented = (value) => {
  const text = JSON.stringify(value, null, 2);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n… and ${text.length - MAX_SHOWN} characters more` : text;
};

/**
 * @param {unknown} data
 * @returns {Promise<{ answer: unknown, took: number }>} the answer, and milliseconds until it came
 */
async function timed(data) {
  const started = performance.now();
  const answer = await connection.bus.call("echo", data);
  return { answer, took: performance.now() - started };
}

async function callOnce() {
  const sent = edited();
  if (!sent) return element("data").focus();
  try {
    const { answer, took } = await timed(sent.data);
    const same = JSON.stringify(answer) === JSON.stringify(sent.data);
    show("answered", indented(answer), same ? "✓ Same as sent" : "✗ Not what was sent", same ? "same" : "different", `${took.toFixed(1)} ms`);
  } catch (error) {
    show("failed", String(error), "The call failed.", "different", "");
  }
}

/**
 * @param {"answered" | "failed"} outcome
 * @param {string} text
 * @param {string} verdict
 * @param {string} kind
 * @param {string} took
 */
function show(outcome, text, verdict, kind, took) {
  element("answer").dataset.outcome = outcome;
  element("answer").textContent = text;
  element("verdict").textContent = verdict;
  element("verdict").className = kind;
  element("round-trip").textContent = took;
}

/**
 * @param {number} count
 * @param {boolean} inTurn one after another instead of all at once
 */
async function burst(count, inTurn) {
  const started = performance.now();
  const calls = [];
  for (let number = 1; number <= count; number++) {
    const call = timed({ number });
    calls.push(call);
    if (inTurn) await call;
  }
  const times = (await Promise.all(calls)).map(({ took }) => took);
  return { ...summary(times), total: performance.now() - started };
}

/** @param {HTMLButtonElement} button */
async function burstChosen(button) {
  const count = Number(button.dataset.burst);
  const inTurn = element("in-turn").checked;
  element("burst-problem").textContent = "";
  setBursting(true);
  try {
    const { min, median, p95, max, total } = await burst(count, inTurn);
    const figures = [min, median, p95, max, total].map((figure) => figure.toFixed(1));
    addRow([`${count} ${inTurn ? "in turn" : "at once"}`, transportName(connection.bus.transport), ...figures]);
    element("burst-status").textContent = `${count} calls: median ${figures[1]} milliseconds.`;
  } catch (error) {
    element("burst-problem").textContent = `The burst failed: ${error}`;
  } finally {
    setBursting(false);
    button.focus();
  }
}

/** @param {boolean} bursting */
function setBursting(bursting) {
  for (const each of document.querySelectorAll("[data-burst]")) each.toggleAttribute("disabled", bursting);
}

/** @param {string[]} cells */
function addRow([head, ...cells]) {
  element("no-bursts")?.remove();
  const row = element("bursts").insertRow(0);
  const th = document.createElement("th");
  th.scope = "row";
  th.textContent = head;
  row.append(th);
  for (const cell of cells) row.insertCell().textContent = cell;
}

element("data").value = indented(EXAMPLES.object);
element("data").addEventListener("input", changed);
element("data").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element("call").requestSubmit();
});
element("call").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  void callOnce();
});
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    const example = EXAMPLES[/** @type {HTMLElement} */ (button).dataset.example ?? ""];
    element("data").value = JSON.stringify(example, null, 2);
    changed();
  });
}
for (const button of document.querySelectorAll("[data-burst]")) {
  button.addEventListener("click", () => void burstChosen(/** @type {HTMLButtonElement} */ (button)));
}
await connection.open();
