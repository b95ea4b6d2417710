/** Shows the Bayeux messages that a page sends and receives. */

/** @typedef {import("./mirant.d.ts").Message} Message */
/** @typedef {{ direction: "in" | "out", at: Date, text: string }} Entry */

const MAX_ENTRIES = 100;
const MAX_TEXT = 600; // characters of one message
const SECRETS = new Set(["clientId", "token"]);

/**
 * An extension of the bus that changes nothing. Registered first, it sees what leaves after all other
 * extensions and what arrives before them.
 */
export class Wire {
  #details;
  #list;
  /** @type {Entry[]} newest first */
  #entries = [];

  /**
   * @param {HTMLDetailsElement | null} details null on a page that does not show the wire
   * @param {HTMLElement | null} list
   */
  constructor(details, list) {
    this.#details = details;
    this.#list = list;
    details?.addEventListener("toggle", () => this.#show());
  }

  /** @param {Message} message */
  outgoing(message) {
    this.#add("out", message);
  }

  /** @param {Message} message */
  incoming(message) {
    this.#add("in", message);
  }

  /**
   * @param {"in" | "out"} direction
   * @param {Message} message
   */
  #add(direction, message) {
    if (!this.#details) return;
    // Who knows the id of a session, or the token of a user, can speak for it: no place on a screen that others see.
    const text = JSON.stringify(message, (key, value) => (SECRETS.has(key) ? "…" : value));
    const entry = { direction, at: new Date(), text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text };
    this.#entries.unshift(entry);
    this.#entries.length = Math.min(this.#entries.length, MAX_ENTRIES);
    if (!this.#details.open) return;
    this.#list?.prepend(row(entry));
    if (this.#list && this.#list.childElementCount > MAX_ENTRIES) this.#list.lastElementChild?.remove();
  }

  #show() {
    this.#list?.replaceChildren(...(this.#details?.open ? this.#entries.map(row) : []));
  }
}

/** @param {Entry} entry */
function row({ direction, at, text }) {
  const item = document.createElement("li");
  item.dataset.direction = direction;
  const time = document.createElement("time");
  time.textContent = at.toISOString().slice(17, 23);
  const arrow = document.createElement("b");
  arrow.textContent = direction === "out" ? "→" : "←";
  arrow.title = direction === "out" ? "sent" : "received";
  const message = document.createElement("span");
  message.textContent = text;
  item.append(time, arrow, message);
  return item;
}
