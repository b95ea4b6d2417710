/**
 * The chat page: joins the room, and joins it again by itself when the session was lost.
 *
 * The name and the latest token are kept for this window (sessionStorage), so a reload or a new session takes the
 * same name over instead of finding it taken.
 */
import { Connection, element } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Credential } from "./credential.js";
import { fromWire, messageFromWire, toWire } from "./markup.js";
import { Members } from "./members.js";

const ROOM = "demo";
const STORED = `mirant.demo.chat.${ROOM}`;

/** @typedef {{ name: string, token?: string }} Identity */
/** @typedef {{ name: string, user: string, token: string, lifetime: number, members: string[] }} Entry what the server answers to a join */

class ChatPage {
  /** By which the session in use becomes the visitor's. */
  #credential = new Credential((token) => this.#identity && this.#keep({ ...this.#identity, token }));
  #connection = new Connection({ extensions: [this.#credential] });
  #conversation = new Conversation(element("log"), element("entries"));
  #members = new Members({ list: element("members"), count: element("count"), recipient: element("recipient") });
  /** @type {Identity | null} who the visitor is, or wants to be */
  #identity = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  /** @type {string | null} the session that is in the room, or on its way in */
  #joinedAs = null;
  #attempts = 0;
  /** @type {AbortController | null} ends the subscriptions; null while there are none */
  #subscriptions = null;
  /** @type {{ remove(): void } | null} who listens to the visitor's inbox */
  #inbox = null;
  #interrupted = false;

  start() {
    element("name").value = this.#identity?.name ?? "";
    element("join").addEventListener("submit", (/** @type {Event} */ event) => this.#joinSubmitted(event));
    element("composer").addEventListener("submit", (/** @type {Event} */ event) => this.#textSubmitted(event));
    element("text").addEventListener("input", () => problem("send", ""));
    element("recipient").addEventListener("chosen", () => element("text").focus());
    element("leave").addEventListener("click", () => void this.#leave());
    this.#connection.addEventListener("bus", () => this.#wire());
    this.#connection.addEventListener("state", () => void this.#stateChanged());
    return this.#connection.open();
  }

  get #bus() {
    return this.#connection.bus;
  }

  /** Whether what is said now is said by the member the visitor joined as. */
  get #present() {
    return this.#bus.state === "connected" && this.#joinedAs === this.#bus.clientId;
  }

  #wire() {
    this.#joinedAs = this.#subscriptions = this.#inbox = null;
  }

  /** @param {Identity} identity */
  #keep(identity) {
    this.#identity = identity;
    sessionStorage.setItem(STORED, JSON.stringify(identity));
  }

  async #stateChanged() {
    const { state, clientId } = this.#bus;
    if (!this.#identity) return;
    if (state === "interrupted" && !this.#interrupted) {
      this.#interrupted = true;
      this.#conversation.notice("Connection lost. Trying again…", "lost");
    }
    if (state !== "connected") return;
    if (this.#joinedAs !== clientId && !(await this.#join())) return;
    if (!this.#interrupted) return;
    this.#interrupted = false;
    problem("send", "");
    this.#conversation.notice("Back. What was said meanwhile may be missing.", "back");
  }

  // ---- in and out ----

  /** @param {Event} event */
  async #joinSubmitted(event) {
    event.preventDefault();
    const name = element("name").value.trim();
    if (!name) return problem("join", "Enter a name.");
    const earlier = this.#identity;
    this.#identity = earlier?.name === name ? earlier : { name };
    if (this.#bus.state !== "connected") return problem("join", "Not connected yet. You join as soon as the server answers.");
    if (await this.#join()) element("text").focus();
  }

  /** @returns {Promise<boolean>} whether the visitor is in the room now */
  async #join() {
    const bus = this.#bus;
    const session = (this.#joinedAs = bus.clientId);
    const attempt = ++this.#attempts;
    try {
      const entry = await this.#enter(bus);
      if (attempt !== this.#attempts) return false; // the answer to a later attempt counts
      this.#keep({ name: fromWire(entry.name), token: entry.token });
      this.#membersChanged(entry.members);
      await this.#openInbox(bus, entry);
      if (attempt !== this.#attempts) return false;
      problem("join", "");
      this.#showRoom({ joined: true });
      return true;
    } catch (error) {
      if (attempt !== this.#attempts) return false;
      if (this.#joinedAs === session) this.#joinedAs = null;
      this.#notJoined(/** @type {import("./mirant.js").BayeuxError} */ (error));
      return false;
    }
  }

  /**
   * Subscribes and joins in one batch. A new session of the same bus restores its subscriptions by itself.
   *
   * @param {import("./mirant.js").Mirant} bus
   * @returns {Promise<Entry>}
   */
  async #enter(bus) {
    const [entry] = await bus.batch(() => {
      const subscriptions = [];
      if (!this.#subscriptions) {
        this.#subscriptions = new AbortController();
        const { signal } = this.#subscriptions;
        subscriptions.push(
          bus.subscribe(`/chat/${ROOM}`, (/** @type {{ data: any }} */ { data }) => this.#heard(data), { signal }),
          bus.subscribe(`/members/${ROOM}`, (/** @type {{ data: any }} */ { data }) => this.#membersChanged(data), { signal }),
        );
      }
      const { name = "", token } = this.#identity ?? {};
      const join = { room: ROOM, name: toWire(name), token };
      return Promise.all([/** @type {Promise<Entry>} */ (bus.call("chat/join", join)), ...subscriptions]);
    });
    return entry;
  }

  /**
   * Signs the session in and subscribes to what is for the visitor alone. Not with `bus.subscribe()`, which would
   * restore it in a new session before that is signed in, and be refused.
   *
   * @param {import("./mirant.js").Mirant} bus
   * @param {Entry} entry
   */
  async #openInbox(bus, entry) {
    await this.#credential.show(bus, entry);
    const subscription = `/users/${entry.user}/inbox`;
    this.#inbox?.remove();
    this.#inbox = bus.listen(subscription, (/** @type {{ data: any }} */ { data }) => this.#conversation.say(messageFromWire(data), { mine: false }));
    await bus.send({ channel: "/meta/subscribe", subscription });
  }

  /**
   * The server's refusal goes to the form; a broken connection needs no word, the next state joins again.
   *
   * @param {import("./mirant.js").BayeuxError} error
   */
  #notJoined(error) {
    if (error.error === "transport_failed" || error.error === "session_lost") return;
    this.#subscriptions?.abort();
    this.#subscriptions = this.#identity = null;
    this.#interrupted = false;
    this.#showRoom({ joined: false });
    problem("join", reason(error));
    element("name").focus();
  }

  async #leave() {
    this.#attempts++; // one that is under way does not count any more
    this.#subscriptions?.abort();
    this.#inbox?.remove();
    this.#subscriptions = this.#inbox = this.#joinedAs = this.#identity = null;
    this.#interrupted = false;
    sessionStorage.removeItem(STORED);
    this.#showRoom({ joined: false });
    this.#members.show([], "");
    this.#conversation.clear();
    element("name").focus();
    await this.#bus.call("chat/leave", { room: ROOM }).catch(() => {}); // gone with the session in any case
  }

  /** @param {{ joined: boolean }} where */
  #showRoom({ joined }) {
    element("entrance").hidden = joined;
    for (const id of ["log", "composer", "leave"]) element(id).hidden = !joined;
  }

  // ---- talk ----

  /** @param {any} data of a message in the room, as the server stamped it */
  #heard(data) {
    data = messageFromWire(data);
    const own = data.user === this.#identity?.name;
    if (data.chat !== undefined) return this.#conversation.say(data, { mine: own });
    const who = own ? "You" : data.user;
    this.#conversation.notice(data.membership === "join" ? `${who} joined` : `${who} left`);
  }

  /** @param {string[]} names as they came */
  #membersChanged(names) {
    this.#members.show(names.map(fromWire), this.#identity?.name ?? "");
  }

  /** @param {Event} event */
  async #textSubmitted(event) {
    event.preventDefault();
    const input = element("text");
    const typed = input.value;
    if (!typed.trim()) return;
    if (!this.#present) return problem("send", "Not sent: there is no connection. Send it again when it is back.");
    problem("send", "");
    input.value = "";
    try {
      await this.#send(typed);
    } catch (error) {
      input.value ||= typed;
      problem("send", `Not sent: ${reason(/** @type {any} */ (error))}`);
    }
  }

  /**
   * What starts with “name::” is for that member alone, and never goes to everyone by mistake.
   *
   * @param {string} typed
   */
  async #send(typed) {
    const [, addressee, rest] = /^\s*([^:]{1,32})::(.*)$/s.exec(typed) ?? [];
    const chat = addressee === undefined ? typed : rest;
    const peer = addressee === undefined ? this.#members.recipient : this.#members.find(addressee);
    if (peer === undefined) throw new Error(`nobody here is called “${addressee?.trim()}”.`);
    if (peer === this.#identity?.name) throw new Error("that is you.");
    if (!chat.trim()) throw new Error("there is no text in the message.");
    if (peer === "") return void (await this.#bus.publish(`/chat/${ROOM}`, { chat: toWire(chat) }));
    const message = { room: ROOM, peer: toWire(peer), chat: toWire(chat) };
    const said = /** @type {any} */ (await this.#bus.call("chat/private", message));
    this.#conversation.say(messageFromWire(said), { mine: true });
  }
}

/**
 * @param {"join" | "send"} form
 * @param {string} text
 */
function problem(form, text) {
  element(`${form}-problem`).textContent = text;
  element(form === "join" ? "name" : "text").ariaInvalid = String(text !== "");
}

/**
 * @param {import("./mirant.js").BayeuxError} error
 * @returns {string} what to tell the visitor
 */
function reason(error) {
  const data = /** @type {{ message?: string } | undefined} */ (error.reply?.data);
  if (data?.message) return fromWire(data.message);
  if (error.error === "timeout") return "The server did not answer. Try again.";
  if (error.error === "transport_failed") return "the connection was lost.";
  return error.args?.length ? error.args.join(", ") : error.message;
}

await new ChatPage().start();
