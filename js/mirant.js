/** The browser client. Types: mirant.d.ts, and mirant/types.d.ts for what is inside. */
import { Ack } from "./mirant/extensions.js";
import { Session } from "./mirant/session.js";

export { BayeuxError } from "./mirant/requests.js";
export { Ack, TimeSync } from "./mirant/extensions.js";

const MAX_DELAY = 2 ** 31 - 1;
const WINDOW_ID = 8;

const complete = (url, given) => {
  /** @type {T.Options} */
  const options = {
    transports: ["websocket", "long-polling"],
    extensions: [],
    maxNetworkDelay: 10_000,
    callTimeout: 10_000,
    maxQueue: 1_000,
    headers: {},
    credentials: "same-origin",
    handshake: {},
    // The browser's own refuse to be called as methods of another object.
    fetch: (url, init) => fetch(url, init),
    setTimeout: (callback, delay) => setTimeout(callback, delay),
    clearTimeout: (timer) => clearTimeout(/** @type {number} */ (timer)),
    WebSocket: globalThis.WebSocket,
    now: Date.now,
    random: Math.random,
    window: globalThis,
    reload: false,
    shared: false,
    ...given,
    backoff: { first: 1_000, max: 30_000, jitter: 0.5, ...given?.backoff },
  };
  const { shared, random, extensions } = options;
  let ack = extensions.find((extension) => extension instanceof Ack);
  if (shared && !ack) options.extensions = [ack = new Ack(), ...extensions];
  return {
    ...options,
    url,
    ack,
    windowId: shared ? Math.floor(random() * 36 ** WINDOW_ID).toString(36).padStart(WINDOW_ID, "0") : "",
    // A timer with a longer delay would fire at once.
    setTimeout: (callback, delay) => options.setTimeout(callback, Math.min(delay, MAX_DELAY)),
  };
};

/** @implements {T.Mirant} */
export class Mirant extends EventTarget {
  #session;

  constructor(address, options) {
    super();
    const url = new URL(address, globalThis.location?.href);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`not an http or https URL: ${address}`);
    this.#session = new Session(this, complete(url, options));
  }

  get state() {
    return this.#session.state;
  }

  get transport() {
    return this.#session.transport;
  }

  get clientId() {
    return this.#session.clientId;
  }

  get advice() {
    return { ...this.#session.advice };
  }

  connect() {
    return this.#session.connect();
  }

  disconnect() {
    return this.#session.disconnect();
  }

  subscribe(channel, listener, options) {
    return this.#session.application.subscribe(channel, listener, options);
  }

  publish(channel, data) {
    return this.send({ channel, data: data === undefined ? null : data });
  }

  call(target, data = null, options) {
    return this.#session.requests.ask(target, data, options);
  }

  listen(channel, listener) {
    return this.#session.application.listen(channel, listener);
  }

  batch(callback) {
    return this.#session.requests.batch(callback);
  }

  send(message) {
    return this.#session.requests.add(message);
  }
}
