/** The browser client. Types: mirant.d.ts, and mirant/types.d.ts for what is inside. */
import { Session } from "./mirant/session.js";

export { BayeuxError } from "./mirant/requests.js";

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
    // A browser's own cannot be called as methods.
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
    const url = new URL(address, globalThis.location?.href.replace(/^blob:/, "")); // of a worker made from a blob
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
    return this.send({ channel, data: data ?? null });
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

export class Ack {
  /** @type {T.AckState | null} */ state = null;
  #again = 0;

  outgoing(message) {
    const { channel, advice, ext } = message;
    const handshake = channel === "/meta/handshake";
    if (handshake) this.state = null;
    else if (channel !== "/meta/connect" || !this.state) return;
    else if (advice) this.#again = this.state.seen;
    message.ext = { ...ext, ack: this.state?.batch ?? true };
  }

  incoming({ channel, successful, ext, ...fields }) {
    const ack = ext?.ack;
    if (channel === "/meta/handshake" && successful && ack) this.state = { batch: ack.batch ?? 0, seen: 0 };
    else if (!this.state) return;
    else if (channel === "/meta/connect" && successful && typeof ack === "number") {
      this.state = { batch: ack, seen: 0 };
      this.#again = 0;
    } else if ("data" in fields) {
      if (!this.#again) this.state.seen++;
      else if (this.#again--) return null;
    }
    return undefined;
  }

  resume(state) {
    this.#again = 0;
    if (state?.batch !== this.state?.batch) this.state = state;
    else if (this.state) this.#again = this.state.seen;
  }
}

export class TimeSync extends EventTarget {
  /** @type {T.Sample[]} */ #samples = [];
  #now;

  constructor({ now = Date.now } = {}) {
    super();
    this.#now = now;
  }

  get samples() {
    return [...this.#samples];
  }

  get offset() {
    return this.#estimate("offset");
  }

  get lag() {
    return this.#estimate("lag");
  }

  serverTime() {
    return this.#now() + this.offset;
  }

  serverDate() {
    return new Date(this.serverTime());
  }

  async sample(bus) {
    const before = this.#samples.at(-1);
    await bus.send({ channel: "/meta/subscribe", subscription: "/service/timesync", ext: { timesync: {} } }).catch((error) => {
      if (!error.reply) throw error;
    });
    const sample = this.#samples.at(-1);
    return sample && sample !== before ? sample : null;
  }

  outgoing(message) {
    if (!message.channel.startsWith("/meta/")) return;
    const known = message.ext?.timesync ? {} : { l: Math.round(this.lag), o: Math.round(this.offset) };
    message.ext = { ...message.ext, timesync: { tc: this.#now(), ...known } };
  }

  incoming(message) {
    const { channel, ext } = message;
    const { tc, ts, p } = ext?.timesync ?? {};
    if (!channel.startsWith("/meta/") || typeof tc !== "number" || typeof ts !== "number" || typeof p !== "number") return;
    const at = this.#now();
    const lag = Math.max(0, (at - tc - p) / 2);
    const offset = ts - tc - lag;
    const agreeing = this.#samples.filter((old) => Math.abs(old.offset - offset) <= old.lag + lag + 50);
    const sample = { offset, lag, at };
    this.#samples = [...agreeing, sample].slice(-10);
    this.dispatchEvent(new CustomEvent("sample", { detail: sample }));
  }

  #estimate(key) {
    const best = this.samples.sort((a, b) => a.lag - b.lag).slice(0, Math.ceil(this.#samples.length / 2));
    return best.reduce((sum, sample) => sum + sample[key], 0) / (best.length || 1);
  }
}
