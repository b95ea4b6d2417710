/** The first page: facts about its own connection, snippets with the address of this bus, and its policy file. */
import { BUS_URL, Connection, element, transportName } from "./connection.js";

const PERIOD = 2_000; // ms between two measured round trips

const connection = new Connection();

connection.addEventListener("state", () => {
  const { bus } = connection;
  element("fact-transport").textContent = transportName(bus.transport);
  element("fact-session").textContent = bus.clientId ? `${bus.clientId.slice(0, 8)}…` : "none";
});

async function measure() {
  if (document.hidden || connection.bus.state !== "connected") return;
  const started = performance.now();
  try {
    await connection.bus.call("echo", null, { timeout: PERIOD });
    element("fact-round-trip").textContent = `${(performance.now() - started).toFixed(1)} ms`;
  } catch {
    element("fact-round-trip").textContent = "no answer";
  }
}

function showTime() {
  if (connection.timesync.samples.length === 0) return;
  element("fact-time").textContent = `${connection.timesync.serverDate().toISOString().slice(11, 19)} UTC`;
}

/** The snippets name the usual address; here they show the one this page came from. */
function showAddress() {
  for (const code of document.querySelectorAll(".snippet pre code")) {
    code.textContent = code.textContent?.replaceAll("http://localhost:8080/cometd", BUS_URL) ?? "";
  }
}

/** @param {Element} snippet */
function offerCopy(snippet) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet small";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.querySelector("pre code")?.textContent ?? "");
    button.textContent = "Copied";
    button.addEventListener("blur", () => (button.textContent = "Copy"), { once: true });
  });
  snippet.querySelector(".after")?.append(button);
}

/** Shows the file with its comments set off. */
async function showPolicy() {
  const text = /** @type {string} */ (await connection.bus.call("demo/policy").catch(() => "It did not arrive. Close this and open it again."));
  const lines = text.split("\n").map((line) => {
    const [, code = "", comment = ""] = /^((?:[^"#]|"[^"]*")*)(#.*)?$/.exec(line) ?? [];
    const note = document.createElement("span");
    note.className = "comment";
    note.textContent = comment;
    return [code, note, "\n"];
  });
  element("policy-text").replaceChildren(...lines.flat());
}

element("policy-file").addEventListener("toggle", () => element("policy-file").open && void showPolicy());

showAddress();
if (navigator.clipboard) document.querySelectorAll(".snippet").forEach(offerCopy);
await connection.open();
void measure();
setInterval(measure, PERIOD);
setInterval(showTime, 250);
