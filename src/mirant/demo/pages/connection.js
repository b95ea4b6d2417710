/**
 * The connection of a page: opens the bus, shows its state, and lets the visitor choose the transport.
 *
 * Every page has the same controls: #state, #transport and #reconnect; a demo has #wire too.
 */
import { Mirant, TimeSync } from "./mirant.js";
import { Wire } from "./wire.js";

/** The bus that served this module, whatever path it is mounted at. */
export const BUS_URL = new URL(".", import.meta.url).href.replace(/\/$/, "");

/** @type {Record<string, string>} */
const TRANSPORT_NAMES = { websocket: "WebSocket", "long-polling": "Long polling" };

const SEVERAL_WINDOWS =
  "Another window of this browser has the long poll. This one asks every two seconds, so that pages still load.";

/**
 * @param {string} id
 * @returns {any} the element of the page with this id
 */
export const element = (id) => document.getElementById(id);

/**
 * @param {string | null | undefined} transport a name as on the wire
 * @returns {string} the name for people
 */
export const transportName = (transport) => TRANSPORT_NAMES[transport ?? ""] ?? "none";

/**
 * Connects the page, and connects it again when another transport is chosen.
 *
 * A `bus` event is dispatched for each new bus before it connects (wire listeners and
 * subscriptions there), a `state` event whenever the state of the current bus changes.
 */
export class Connection extends EventTarget {
  timesync = new TimeSync();
  /** Whether the server holds the poll of another window of this browser, and not of this one. */
  #several = false;
  #wire = new Wire(element("wire"), element("wire-messages"));
  #extensions;
  /** The bus in use: another object after another transport was chosen. */
  bus;

  /** @param {{ extensions?: import("./mirant.d.ts").Extension[] }} [options] extensions of each bus, beside its own */
  constructor({ extensions = [] } = {}) {
    super();
    this.#extensions = [this.#wire, this.timesync, ...extensions];
    const wanted = new URLSearchParams(location.search).get("transport") ?? "";
    element("transport").value = wanted in TRANSPORT_NAMES ? wanted : "auto";
    element("transport").addEventListener("change", () => this.#chooseTransport());
    element("reconnect").addEventListener("click", () => this.open());
    this.bus = this.#create();
  }

  /** Opens a new bus over the chosen transport; an earlier one is disconnected first. */
  async open() {
    const earlier = this.bus;
    const bus = (this.bus = this.#create());
    await earlier.disconnect();
    if (this.bus !== bus) return; // another transport was chosen meanwhile
    this.#several = false;
    bus.addEventListener("state", ({ detail }) => this.#changed(bus, detail.reason));
    bus.addEventListener("windows", ({ detail }) => {
      this.#several = detail.several;
      this.#changed(bus);
    });
    this.dispatchEvent(new CustomEvent("bus", { detail: bus }));
    this.#changed(bus);
    // A refusal ends in the state "disconnected", which the page shows with its reason.
    await bus.connect().catch(() => {});
  }

  #create() {
    const wanted = element("transport").value;
    const transports = wanted === "auto" ? ["websocket", "long-polling"] : [wanted];
    return new Mirant(BUS_URL, { transports, extensions: this.#extensions });
  }

  /** Keeps the choice in the address, so that it survives a reload and can be shared. */
  #chooseTransport() {
    const wanted = element("transport").value;
    const url = new URL(location.href);
    if (wanted === "auto") url.searchParams.delete("transport");
    else url.searchParams.set("transport", wanted);
    history.replaceState(null, "", url);
    void this.open();
  }

  /**
   * @param {Mirant} bus
   * @param {string} [reason]
   */
  #changed(bus, reason = "") {
    if (bus !== this.bus) return;
    const state = element("state");
    const text = {
      connecting: "Connecting…",
      connected: `Connected · ${transportName(bus.transport)}${this.#several ? ", several windows" : ""}`,
      interrupted: "Connection lost, trying again…",
      disconnected: "Not connected",
    }[bus.state];
    state.dataset.state = bus.state;
    state.title = this.#several ? SEVERAL_WINDOWS : reason;
    if (state.textContent !== text) state.textContent = text; // a status says each change once
    element("reconnect").hidden = bus.state !== "disconnected";
    this.dispatchEvent(new Event("state"));
  }
}
