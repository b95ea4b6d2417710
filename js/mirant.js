// @ts-check
/** Mirant's browser client. mirant.d.ts describes its API and its inner parts, README.md its use. */
/** @import * as T from "./mirant.d.ts" */

const MAX_BATCH = 500;
const MAX_DELAY = 2 ** 31 - 1;
const MAX_URL = 2_000;
const LEADER_LOST = "0::leader_lost";
const WINDOW_ID = 8;
const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const SEVERAL = "multiple-clients";
const ADVICE = { reconnect: /** @type {const} */ ("retry"), interval: 0, timeout: 60_000, maxInterval: 0 };

/** @param {unknown} value */
const duration = (value) => (typeof value === "number" && value > 0 ? value : 0);

/** @param {string} why @param {object} [facts] */
const broken = (why, facts) => new BayeuxError(`0:${why.replaceAll(":", "")}:transport_failed`, facts);

/** @param {unknown} error @returns {BayeuxError} */
const asFailure = (error) => (error instanceof BayeuxError ? error : broken(String(error), { cause: error }));

/** @param {Pick<BayeuxError, "code" | "args" | "error">} error */
const wire = ({ code, args, error }) => `${code}:${args}:${error}`;

/** @param {string} text */
const parse = (text) => [JSON.parse(text)].flat();

/** @param {Uint8Array} bytes */
const encode = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let value = 0;
    let group = "";
    for (let n = at; n < at + 4; n++) value = value * 256 + (bytes[n] ?? 0);
    for (; group.length < 5; value = Math.floor(value / 85)) group = Z85[value % 85] + group;
    text += group.slice(0, bytes.length - at + 1);
  }
  return text;
};

/** @param {string} text */
const decode = (text) => {
  const bytes = new Uint8Array((text.length * 4) / 5);
  for (let at = 0; at < text.length; at += 5) {
    let value = 0;
    for (let n = at; n < at + 5; n++) {
      const digit = Z85.indexOf(text[n] ?? "#");
      value = digit < 0 ? NaN : value * 85 + digit;
    }
    if (!(value < 2 ** 32) || at + 1 === text.length) throw new TypeError("binary data is not Z85");
    for (let n = 0; n < 4; n++) bytes[(at / 5) * 4 + n] = value >>> (24 - 8 * n);
  }
  return bytes;
};

/** @param {T.Message} message @returns {T.Message} */
const pack = (message) => {
  const { data, ext } = message;
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!ArrayBuffer.isView(view)) return message;
  const text = encode(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return { ...message, data: { last: true, .../** @type {object} */ (ext?.binary), data: text }, ext: { ...ext, binary: {} } };
};

/** @param {T.Message} message */
const unpack = (message) => {
  if (!message.ext?.binary) return;
  const { data, ...binary } = /** @type {{data: string}} */ (message.data);
  if (typeof data !== "string") throw new TypeError("binary data is no text");
  message.data = decode(data);
  message.ext = { ...message.ext, binary };
};

/** @implements {T.BayeuxError} */
export class BayeuxError extends Error {
  /** @param {string} text @param {T.Facts} [facts] */
  constructor(text, { channel, reply, cause } = {}) {
    super(channel ? `${channel}: ${text}` : text, { cause });
    const [, code, args, error] = /^(\d+):([^:]*):([^]*)$/.exec(text) ?? [text, "0", "", text];
    this.name = "BayeuxError";
    this.code = Number(code);
    this.args = args ? args.split(",") : [];
    this.error = /** @type {string} */ (error);
    this.channel = channel;
    this.reply = reply;
  }
}

class Transport {
  idle = true;

  /** @param {URL} url @param {T.Options} options @param {T.Host} host */
  constructor(url, options, host) {
    this.url = url;
    this.options = options;
    this.host = host;
  }
}

class WebSocketTransport extends Transport {
  /** @type {WebSocket | undefined} */ #socket;
  #refuse = (/** @type {Error} */ _) => {};

  /** @returns {Promise<void>} */
  open() {
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      const socket = new this.options.WebSocket(this.url.href.replace(/^http/, "ws"));
      this.#socket = socket;
      socket.onopen = () => resolve();
      socket.onerror = () => {}; // close follows; but in Node an error nobody listens to ends the process
      socket.onclose = ({ code, reason }) => {
        const why = `websocket closed ${code} ${reason}`.trim();
        reject(broken(why));
        this.host.fail(why);
      };
      socket.onmessage = ({ data }) => {
        if (typeof data !== "string") return;
        try {
          this.host.receive(parse(data));
        } catch (error) {
          this.host.fail(String(error));
        }
      };
    });
  }

  /** @type {T.Transport["send"]} */
  send(body) {
    this.#socket?.send(body);
  }

  /** @type {T.Transport["close"]} */
  close(farewell) {
    const socket = this.#socket;
    this.#refuse(broken("closed"));
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    if (farewell) socket.send(farewell);
    socket.close(1000);
  }
}

class LongPollingTransport extends Transport {
  closed = new AbortController();

  async open() {}

  /** @type {T.Transport["send"]} */
  async send(body, messages) {
    const channel = messages.length > 1 ? "" : messages[0]?.channel ?? "";
    const polls = channel === "/meta/connect";
    this.idle &&= polls;
    try {
      await this.carry(channel, body, messages);
    } catch (error) {
      this.host.fail(String(error));
    }
    if (polls) return;
    this.idle = true;
    this.host.drain();
  }

  /** @param {string} channel @param {string} body @param {T.Message[]} messages */
  async carry(channel, body, messages) {
    const response = await this.post(channel, body, { signal: this.closed.signal });
    const { status } = response;
    if (status === 200) this.host.receive(parse(await response.text()));
    // 5xx: the server or the way to it is bad; 4xx, or a missing reply: these messages only.
    this.host.fail(`HTTP ${status} without a reply`, status < 500 ? messages : undefined);
  }

  /** @type {T.Transport["close"]} */
  close(farewell) {
    this.closed.abort();
    if (farewell) this.post("/meta/disconnect", farewell, { keepalive: true }).catch(() => {});
  }

  /** @param {string} channel @param {string} body @param {RequestInit} init */
  async post(channel, body, init) {
    const { fetch, headers, credentials } = this.options;
    const url = new URL(this.url);
    const [, kind = ""] = /^\/meta\/(handshake|connect|disconnect)$/.exec(channel) ?? [];
    if (!url.search) url.pathname = `${url.pathname.replace(/\/$/, "")}/${kind}`;
    return fetch(url.href, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, credentials, body, ...init });
  }
}

class CallbackPollingTransport extends LongPollingTransport {
  /** @type {LongPollingTransport["carry"]} */
  async carry(_channel, _body, messages) {
    const parts = this.#address(messages).length > MAX_URL ? messages.map((message) => [message]) : [messages];
    for (const some of parts) {
      const { length } = this.#address(some);
      if (this.closed.signal.aborted) return;
      if (length <= MAX_URL) this.host.receive(await this.#load(some));
      this.host.fail(length > MAX_URL ? `a URL of ${length} characters` : "a script without a reply", some);
    }
  }

  /** @type {T.Transport["close"]} */
  close(farewell) {
    this.closed.abort();
    if (farewell) this.#load(parse(farewell)).catch(() => {});
  }

  /** @param {T.Message[]} messages */
  #address(messages, name = "_mirant999") {
    const url = new URL(this.url);
    url.searchParams.set("jsonp", name);
    url.searchParams.set("message", JSON.stringify(messages));
    return url.href;
  }

  /** @param {T.Message[]} messages @returns {Promise<T.Message[]>} */
  #load(messages) {
    const page = /** @type {any} */ (this.options.window);
    let number = 0;
    while (`_mirant${number}` in page) number++;
    const name = `_mirant${number}`;
    return new Promise((resolve, reject) => {
      const script = page.document.createElement("script");
      page[name] = resolve;
      script.onload = script.onerror = (/** @type {Event} */ { type }) => {
        delete page[name];
        script.remove();
        reject(new Error(`script ${type}`));
      };
      script.src = this.#address(messages, name);
      page.document.head.append(script);
    });
  }
}

const TRANSPORTS = { "websocket": WebSocketTransport, "long-polling": LongPollingTransport, "callback-polling": CallbackPollingTransport };

/** @implements {T.Mirant} */
export class Mirant extends EventTarget {
  /** @type {URL} */ #url;
  /** @type {T.Options} */ #options;
  /** @type {T.State} */ #state = "disconnected";
  /** @type {T.Life | null} */ #life = null;
  #ended = false;

  /** @type {Omit<T.Transport, "open"> | null} */ #transport = null;
  /** @type {T.TransportType | null} */ #type = null;
  #ready = false;
  #failure = broken("closed");
  #failures = 0;
  #lostAt = 0;
  #replacedAt = -Infinity;
  /** @type {Set<T.TransportType>} */ #avoided = new Set();
  /** @type {Set<T.TransportType>} */ #proven = new Set();

  /** @type {string | null} */ #clientId = null;
  /** @type {T.Advice} */ #advice = ADVICE;
  #lastId = 0;
  /** @type {T.Request[]} */ #queue = [];
  /** @type {Map<string, T.Request>} */ #sent = new Map();
  /** @type {Map<string, T.Call>} */ #calls = new Map();
  /** @type {Map<string, T.Channel>} */ #channels = new Map();
  /** @type {Map<string, Set<T.Listener>>} */ #local = new Map();
  #batches = 0;
  #flushing = false;
  /** @type {T.Windows | null} */ #windows = null;
  #windowId = "";
  #name;
  /** @type {Ack | undefined} */ #ack;
  /** @type {T.Message[] | null} */ #early = null;
  #wake = () => {};

  /** @param {string | URL} url @param {T.MirantOptions} [options] */
  constructor(url, options = {}) {
    super();
    this.#url = new URL(url, globalThis.location?.href);
    if (!/^https?:$/.test(this.#url.protocol)) throw new TypeError(`not an http or https URL: ${url}`);
    this.#options = {
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
      ...options,
      backoff: { first: 1_000, max: 30_000, jitter: 0.5, ...options.backoff },
    };
    const strange = this.#options.transports.find((type) => !(type in TRANSPORTS));
    if (strange) throw new TypeError(`unknown transport: ${strange}`);
    const { shared, random, extensions } = this.#options;
    this.#name = `mirant ${typeof shared === "string" ? shared : this.#url}`;
    const isAck = (/** @type {unknown} */ it) => it instanceof Ack;
    if (shared && !extensions.some(isAck)) this.#options.extensions = [new Ack(), ...extensions];
    this.#ack = /** @type {Ack | undefined} */ (this.#options.extensions.find(isAck));
    if (shared) this.#windowId = Math.floor(random() * 36 ** WINDOW_ID).toString(36).padStart(WINDOW_ID, "0");
  }

  get state() {
    return this.#state;
  }

  get transport() {
    return this.#ready ? this.#type : null;
  }

  get clientId() {
    return this.#clientId;
  }

  get advice() {
    return { ...this.#advice };
  }

  /** @type {T.Mirant["connect"]} */
  connect() {
    const current = this.#life;
    if (current) return current.left?.then(() => this.connect()) ?? current.connected;
    const life = /** @type {T.Life} */ ({ events: new AbortController() });
    life.connected = new Promise((resolve, reject) => Object.assign(life, { resolve, reject }));
    this.#life = life;
    this.#ended = false;
    this.#advise(ADVICE);
    this.#failures = this.#lostAt = 0;
    this.#avoided.clear();
    this.#watch(life);
    this.#become("connecting");
    if (this.#options.reload) this.#guard(() => this.#load());
    if (this.#options.shared) this.#join(life);
    else this.#run(life);
    return life.connected;
  }

  /** @type {T.Mirant["disconnect"]} */
  async disconnect() {
    const life = this.#life;
    if (life) await (life.left ??= this.#leave(life));
  }

  /** @type {T.Mirant["subscribe"]} */
  async subscribe(name, callback, { signal } = {}) {
    signal?.throwIfAborted();
    const channel = this.#channels.get(name) ?? this.#open(name);
    const listener = { callback };
    channel.listeners.add(listener);
    for (const message of this.#early?.splice(0) ?? []) this.#deliver(message);
    /** @type {Promise<void>} */
    let left;
    const unsubscribe = () => (left ??= this.#remove(channel, listener));
    await new Promise((resolve, reject) => {
      channel.ready.then(resolve, (error) => {
        this.#forsake(channel, listener);
        reject(error);
      });
      signal?.addEventListener("abort", () => {
        reject(signal.reason);
        unsubscribe().catch((error) => this.#report(error));
      }, { once: true });
    });
    return { channel: name, unsubscribe };
  }

  /** @type {T.Mirant["publish"]} */
  publish(channel, data) {
    return this.send({ channel, data: data === undefined ? null : data });
  }

  /** @type {T.Mirant["call"]} */
  call(target, data = null, { timeout = this.#options.callTimeout } = {}) {
    const channel = `/service/${target.replace(/^\//, "")}`;
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      const timer = this.#after(timeout, () => {
        this.#queue = this.#queue.filter(({ message }) => message.id !== id);
        call.settle(new BayeuxError("406::timeout", { channel }));
      });
      /** @type {T.Call} */
      const call = {
        channel,
        sent: false,
        settle: (error, answer) => {
          this.#options.clearTimeout(timer);
          this.#calls.delete(id);
          error ? reject(error) : resolve(answer);
        },
      };
      this.#calls.set(id, call);
      this.send({ channel, id, data }).then(() => (call.sent = true), call.settle);
    });
  }

  /** @type {T.Mirant["listen"]} */
  listen(name, callback) {
    const listener = { callback };
    const listeners = this.#local.get(name) ?? new Set();
    this.#local.set(name, listeners.add(listener));
    return { remove: () => void (listeners.delete(listener) && !listeners.size && this.#local.delete(name)) };
  }

  /** @type {T.Mirant["batch"]} */
  batch(callback) {
    this.#batches++;
    try {
      return callback();
    } finally {
      if (!--this.#batches) this.#flush();
    }
  }

  /** @type {T.Mirant["send"]} */
  send(message) {
    return this.#request(message);
  }

  // --- the life of a session

  /** @param {T.Life} life */
  async #run(life) {
    while (life === this.#life) {
      try {
        await this.#establish(life);
        await this.#converse(life);
      } catch (error) {
        if (life !== this.#life) return;
        await this.#recover(asFailure(error));
      }
    }
  }

  /** @param {T.Life} life */
  async #establish(life) {
    /** @type {T.TransportType[]} */
    const failed = [];
    for (const type of this.#types()) {
      try {
        if (!this.#transport) await this.#launch(type);
        if (!this.#clientId) await this.#handshake(life);
        await this.#connect({ timeout: 0 });
        this.#proven.add(type);
        for (const other of failed) if (!this.#proven.has(other)) this.#avoided.add(other);
        return;
      } catch (error) {
        const failure = asFailure(error);
        if (life !== this.#life || failure.reply) throw failure;
        this.#drop(failure);
        failed.push(type);
      }
    }
    throw this.#failure;
  }

  #types() {
    const { transports } = this.#options;
    const types = transports.filter((type) => !this.#avoided.has(type));
    return types.length ? types : transports;
  }

  /** @param {T.TransportType} type */
  async #launch(type) {
    const { maxNetworkDelay, clearTimeout } = this.#options;
    const current = () => transport === this.#transport;
    /** @type {T.Transport} */
    const transport = new TRANSPORTS[type](this.#url, this.#options, {
      receive: (messages) => current() && this.#receive(messages),
      fail: (why, messages) => current() && this.#fail(why, messages),
      drain: () => current() && this.#flush(),
    });
    this.#transport = transport;
    this.#type = type;
    const timer = this.#after(maxNetworkDelay, () => this.#fail(`${type} not open in ${maxNetworkDelay} ms`));
    await transport.open().finally(() => clearTimeout(timer));
  }

  /** @param {T.Life} life */
  async #handshake(life) {
    const { handshake, maxNetworkDelay } = this.#options;
    const fields = typeof handshake === "function" ? await handshake() : handshake;
    if (life !== this.#life || !this.#transport) throw this.#failure;
    const types = this.#types();
    const { timeout, interval } = ADVICE;
    const message = { channel: "/meta/handshake", version: "1.0", minimumVersion: "1.0", supportedConnectionTypes: types, advice: { timeout, interval }, ...fields };
    const reply = await this.#exchange(message, maxNetworkDelay);
    const offered = reply.supportedConnectionTypes ?? types;
    const missing = types.filter((type) => !offered.some((name) => name === type));
    if (missing.length === types.length) {
      const facts = { channel: message.channel, reply: { ...reply, advice: { reconnect: /** @type {const} */ ("none") } } };
      throw new BayeuxError(`405:c[${types}],s[${offered}]:no_transport`, facts);
    }
    this.#clientId = reply.clientId ?? null;
    this.#heed(reply);
    for (const type of missing) this.#avoided.add(type);
    if (missing.some((type) => type === this.#type)) throw broken(`${this.#type} not offered`);
    this.#restore();
    this.#ready = true;
    this.#share();
    this.#flush();
  }

  /** @param {T.Life} life */
  async #converse(life) {
    for (;;) {
      const interval = duration(this.#advice.interval);
      if (interval) await this.#pause(interval);
      if (life !== this.#life || !this.#transport) throw this.#failure;
      await this.#connect();
    }
  }

  /** @param {T.Advice} [advice] */
  async #connect(advice) {
    const hold = advice ? 0 : duration(this.#advice.timeout);
    const message = { channel: "/meta/connect", connectionType: this.#type ?? "", ...(advice && { advice }) };
    this.#heed(await this.#exchange(message, this.#options.maxNetworkDelay + hold));
    this.#failures = this.#lostAt = 0;
    this.#ready = true;
    this.#become("connected");
    this.#life?.resolve();
    this.#flush();
  }

  /** @param {T.Message} reply */
  #heed(reply) {
    if (!reply.advice) return;
    // Servers do not always take back the interval they advised because of other windows.
    const former = this.#advice[SEVERAL] ? { ...this.#advice, interval: 0 } : this.#advice;
    this.#advise({ ...former, reconnect: "retry", [SEVERAL]: false, ...reply.advice });
    if (this.#advice.reconnect === "retry") return;
    throw new BayeuxError("0::disconnected_by_server", { channel: reply.channel, reply });
  }

  /** @param {T.Advice} advice */
  #advise(advice) {
    const several = advice[SEVERAL] ?? false;
    const changed = several !== (this.#advice[SEVERAL] ?? false);
    this.#advice = advice;
    if (changed) this.dispatchEvent(new CustomEvent("windows", { detail: { several } }));
    this.#share();
  }

  /** @param {BayeuxError} error */
  async #recover(error) {
    const { reply, code } = error;
    const advice = reply?.advice;
    const action = advice?.reconnect ?? (code === 402 ? "handshake" : "retry");
    if (action === "none") return this.#end(error);
    if (!reply || this.#type !== this.#types()[0]) this.#drop(error);
    this.#ready = false;
    if (this.#state === "connecting") this.#report(error);
    this.#interrupt(error);

    const { now, random, backoff: { first, max, jitter } } = this.#options;
    const lost = this.#clientId && action === "handshake";
    const atOnce = lost && now() - this.#replacedAt > max;
    if (atOnce) this.#replacedAt = now();
    // Chance spreads out the clients of a restarted server, and makes none late.
    const pause = Math.min(max, first * 2 ** this.#failures++) * (1 - jitter * random());
    const delay = Math.max(atOnce ? 0 : pause, duration(advice?.interval));
    if (lost || this.#expires(delay)) this.#forget(error);
    if (delay) await this.#pause(delay);
  }

  /** @param {number} delay */
  #expires(delay) {
    const [timeout, interval, maxInterval] = [this.#advice.timeout, this.#advice.interval, this.#advice.maxInterval].map(duration);
    const now = this.#options.now();
    this.#lostAt ||= now;
    return maxInterval && now - this.#lostAt + delay > timeout + interval + maxInterval;
  }

  /** @param {unknown} cause */
  #forget(cause) {
    this.#clientId = null;
    for (const { sent, channel, settle } of [...this.#calls.values()]) {
      if (sent) settle(new BayeuxError("0::session_lost", { channel, cause }));
    }
  }

  #restore() {
    const waiting = this.#queue;
    this.#queue = [];
    for (const channel of this.#channels.values()) {
      if (channel.pending) continue;
      this.#subscribe(channel);
      channel.ready.catch((error) => {
        if (error.reply) this.#channels.delete(channel.name);
        if (error.error !== "disconnected") this.#report(error);
      });
    }
    for (const request of waiting) {
      const { kept, message } = request;
      const moot = kept && (message.channel === "/meta/unsubscribe" || this.#channels.get(kept.name) !== kept);
      if (moot) request.resolve(message);
      else this.#queue.push(request);
    }
  }

  /** @param {T.Life} life */
  async #leave(life) {
    // Waits for what was published before; if other windows need the session, with something harmless.
    const last = this.#alone ? { channel: "/meta/disconnect" } : { channel: "/meta/subscribe", subscription: "/service/leave" };
    if (this.#ready) await this.send(last).catch(() => {});
    if (life === this.#life) this.#end(new BayeuxError("disconnect"));
  }

  /** @param {BayeuxError} cause @param {string} [farewell] */
  #end(cause, farewell) {
    const life = this.#life;
    if (!life) return;
    const left = life.left || cause.error === "pagehide";
    if (left) this.#failure = new BayeuxError(LEADER_LOST);
    const unsettled = [...this.#detach(farewell), ...this.#queue];
    if (!left) this.#share(cause, "disconnected");
    this.#windows = this.#early = null;
    this.#life = null;
    this.#ended = true;
    this.#queue = [];
    life.events.abort();
    for (const { message, reject } of unsettled) reject(new BayeuxError("0::disconnected", { channel: message.channel, cause }));
    this.#forget(cause);
    this.#wake();
    this.#become("disconnected", life.left ? new BayeuxError("disconnect") : cause);
    life.reject(cause);
  }

  /** @param {T.Life} life */
  #watch({ events: { signal } }) {
    const { window, reload, now } = this.#options;
    window.addEventListener?.("online", () => {
      if (this.#state === "connected") return;
      this.#failures = 0;
      this.#avoided.clear();
      this.#wake();
    }, { signal });
    window.addEventListener?.("pagehide", () => {
      const last = this.#ready && this.#alone;
      const state = { ...this.#status(), names: this.#names(), at: now() };
      if (last && reload) this.#guard(() => window.sessionStorage?.setItem(this.#name, JSON.stringify(state)));
      const message = last && !reload && this.#extend("outgoing", this.#sign({ channel: "/meta/disconnect", id: this.#nextId() }));
      const left = this.#life?.left;
      this.#end(new BayeuxError("pagehide"), message ? JSON.stringify([message]) : undefined);
      if (left) return;
      window.addEventListener("pageshow", (event) => {
        if (/** @type {PageTransitionEvent} */ (event).persisted) this.connect().catch((error) => this.#report(error));
      }, { once: true });
    }, { signal });
  }

  // --- sending

  #nextId() {
    return `${this.#windowId}${++this.#lastId}`;
  }

  /** @param {T.Message} message @param {{name: string}} [kept] @returns {Promise<T.Message>} */
  #request(message, kept) {
    const { channel, id = this.#nextId() } = message;
    const { maxQueue } = this.#options;
    const full = !kept && this.#queue.length >= maxQueue && `0:${maxQueue}:queue_full`;
    const refusal = this.#ended ? "0::disconnected" : full;
    if (refusal) return Promise.reject(new BayeuxError(refusal, { channel }));
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ message: { ...message, id }, resolve, reject, kept });
    });
  }

  #flush() {
    while (this.#ready && !this.#batches && this.#queue.length && this.#transport?.idle) {
      this.#transmit(this.#queue.splice(0, MAX_BATCH), this.#options.maxNetworkDelay);
    }
  }

  /** @param {T.Message} message @param {number} wait @returns {Promise<T.Message>} */
  #exchange(message, wait) {
    return new Promise((resolve, reject) => {
      this.#transmit([{ message: { ...message, id: this.#nextId() }, resolve, reject }], wait);
    });
  }

  /** @param {T.Request[]} requests @param {number} wait */
  #transmit(requests, wait) {
    /** @type {T.Exchange} */
    const exchange = { left: 0 };
    const messages = [];
    const bodies = [];
    for (const request of requests) {
      try {
        const signed = this.#sign(request.message);
        const message = request.forwarded ? signed : this.#extend("outgoing", pack(signed));
        if (!message) throw new BayeuxError("404::message_deleted", { channel: request.message.channel });
        bodies.push(JSON.stringify(message));
        messages.push(message);
        this.#sent.set(String(message.id), Object.assign(request, { exchange, clientId: this.#clientId }));
        exchange.left++;
      } catch (error) {
        request.reject(error);
      }
    }
    if (!messages.length) return;
    exchange.timer = this.#after(wait, () => this.#fail(`no reply in ${wait} ms`));
    if (messages.some(({ subscription }) => subscription)) this.#windows?.post({ names: this.#names() });
    this.#transport?.send(`[${bodies}]`, messages);
  }

  /** @param {T.Message} message @returns {T.Message} */
  #sign(message) {
    return { ...message, ...(this.#clientId && { clientId: this.#clientId }) };
  }

  // --- receiving

  /** @param {T.Message[]} messages */
  #receive(messages) {
    if (this.#windows?.leading) this.#windows.post({ messages });
    for (const received of messages) {
      if (typeof received?.channel !== "string") continue;
      const message = this.#extend("incoming", received);
      if (message) this.#dispatch(message);
      else this.#settle(received, new BayeuxError("404::message_deleted", { channel: received.channel, reply: received }));
    }
  }

  /** @param {T.Message} message */
  #dispatch(message) {
    const { channel, successful } = message;
    const id = String(message.id);
    if (this.#windows?.others.has(id.slice(0, WINDOW_ID)) && ("data" in message || !this.#sent.has(id))) return; // another window's
    const meta = channel.startsWith("/meta/");
    // Code 0 is from the leading window, not from the server.
    const error = (text = message.error) => new BayeuxError(text ?? "0::unsuccessful", { channel, reply: text?.startsWith("0:") ? undefined : message });
    this.#guard(() => unpack(message));
    if ("data" in message && !meta) {
      const call = this.#calls.get(id);
      if (call?.channel !== channel) return this.#deliver(message);
      this.#settle(message, null);
      return call.settle(successful === false && error(message.error ?? "500::call_failed"), message.data);
    }
    const asked = this.#settle(message, successful ? null : error());
    if (meta) this.#deliver(message);
    if (!asked && channel === "/meta/disconnect" && successful !== false) this.#end(error(message.error ?? "0::disconnected_by_server"));
  }

  /** @param {T.Message} reply @param {BayeuxError | null} error */
  #settle(reply, error) {
    const id = String(reply.id);
    const request = this.#sent.get(id);
    if (request?.message.channel !== reply.channel) return false;
    const gone = error?.code === 402 && request.clientId && request.clientId === this.#clientId;
    this.#sent.delete(id);
    this.#release(request);
    if (!error) request.resolve(reply);
    else if (gone && request.kept) this.#queue.unshift(request);
    else request.reject(error);
    if (gone && reply.channel !== "/meta/connect") this.#drop(error);
    return true;
  }

  /** @param {T.Request} request */
  #release({ exchange }) {
    if (exchange && !--exchange.left) this.#options.clearTimeout(exchange.timer);
  }

  /** @param {T.Message} message */
  #deliver(message) {
    const { channel } = message;
    const names = [channel];
    for (let path = channel; path; ) {
      path = path.slice(0, path.lastIndexOf("/"));
      if (names.length === 1) names.push(`${path}/*`);
      names.push(`${path}/**`);
    }
    if (channel.startsWith("/meta/")) names.pop();
    const listeners = names.flatMap((name) => [...(this.#channels.get(name)?.listeners ?? []), ...(this.#local.get(name) ?? [])]);
    if (!listeners.length && "data" in message && (this.#early?.length ?? Infinity) < this.#options.maxQueue) this.#early?.push(message);
    for (const { callback } of listeners) this.#guard(() => callback(/** @type {T.Delivery<any>} */ (message)));
  }

  // --- failing

  /** @type {T.Host["fail"]} */
  #fail(why, messages) {
    if (messages) for (const message of messages) this.#settle(message, broken(why, { channel: message.channel }));
    else {
      const windows = this.#windows;
      windows?.untaken.clear(); // a leader that is late may send them yet
      this.#drop(broken(why));
      if (!windows?.leading) windows?.post({ hello: true });
    }
  }

  /** @param {BayeuxError} error */
  #drop(error) {
    if (!this.#transport) return;
    this.#failure = error;
    const sent = this.#detach();
    const again = sent.filter(({ kept, message }) => kept || this.#windows?.untaken.has(message.id));
    this.#queue.unshift(...again);
    this.#windows?.untaken.clear();
    for (const request of sent) {
      const { channel } = request.message;
      const facts = { channel, cause: error };
      // #run must know what happened; a publisher, that nobody knows what became of its message.
      if (/^\/meta\/(handshake|connect)$/.test(channel)) request.reject(error);
      else if (!again.includes(request)) request.reject(wire(error) === LEADER_LOST ? new BayeuxError(LEADER_LOST, facts) : broken(String(error.args) || error.error, facts));
    }
    this.#interrupt(error);
    this.#wake();
  }

  /** @param {string} [farewell] @returns {T.Request[]} */
  #detach(farewell) {
    const sent = [...this.#sent.values()];
    sent.forEach(this.#release, this);
    this.#sent.clear();
    this.#ready = false;
    this.#transport?.close(farewell);
    this.#transport = null;
    if (this.#windows?.leading) {
      this.#windows.epoch = this.#nextId();
      this.#queue = this.#queue.filter(({ forwarded }) => !forwarded);
      this.#share(this.#failure);
    }
    return sent;
  }

  /** @param {BayeuxError} error */
  #interrupt(error) {
    if (this.#state === "connected" && !this.#life?.left) this.#become("interrupted", error);
  }

  // --- subscriptions

  /** @param {string} name */
  #open(name) {
    /** @type {T.Channel} */
    const channel = { name, listeners: new Set(), ready: Promise.resolve(), pending: true };
    this.#channels.set(name, channel);
    this.#subscribe(channel);
    return channel;
  }

  /** @param {T.Channel} channel */
  #subscribe(channel) {
    channel.pending = true;
    channel.ready = this.#request({ channel: "/meta/subscribe", subscription: channel.name }, channel).finally(() => (channel.pending = false));
  }

  /** @param {T.Channel} channel @param {T.Listener} listener */
  #forsake({ name, listeners }, listener) {
    return listeners.delete(listener) && !listeners.size && this.#channels.delete(name);
  }

  /** @param {T.Channel} channel @param {T.Listener} listener */
  async #remove(channel, listener) {
    if (!this.#forsake(channel, listener) || this.#ended) return;
    const unsent = this.#queue.findIndex(({ kept, exchange }) => kept === channel && !exchange);
    if (unsent >= 0) for (const { message, resolve } of this.#queue.splice(unsent, 1)) resolve(message);
    else if (!this.#windows?.leading || !this.#needed(channel.name)) await this.#withdraw(channel.name);
  }

  /** @param {string} subscription */
  #withdraw(subscription) {
    return this.#request({ channel: "/meta/unsubscribe", subscription }, { name: subscription });
  }

  /** @param {string} name */
  #needed(name) {
    return [this.#names(), ...(this.#windows?.others.values() ?? [])].some((names) => names.includes(name));
  }

  /** @param {string[]} names */
  #bury(names) {
    for (const name of names) if (!this.#needed(name)) this.#withdraw(name).catch(() => {});
  }

  // --- a session that outlives its page

  #load() {
    const { window, now, maxNetworkDelay } = this.#options;
    const text = window.sessionStorage?.getItem(this.#name);
    if (!text) return;
    window.sessionStorage?.removeItem(this.#name); // a copy of this page must not have it too
    const { clientId, type, advice, ack, names, at } = JSON.parse(text);
    const most = duration(advice.maxInterval);
    if (most && now() - at > most) return;
    this.#clientId = clientId;
    this.#advise(advice);
    this.#prefer(type);
    this.#ack?.resume(ack);
    this.#early = [];
    this.#after(maxNetworkDelay, () => {
      this.#early = null;
      if (clientId === this.#clientId) this.#bury(names);
    });
  }

  /** @param {T.TransportType | null} type */
  #prefer(type) {
    for (const other of this.#options.transports) {
      if (!type || other === type) return;
      this.#avoided.add(other);
    }
  }

  #names() {
    return [...this.#channels.keys()];
  }

  #status(state = this.#state) {
    return { state, ready: this.#ready, type: this.#type, clientId: this.#clientId, advice: this.#advice, ack: this.#ack?.state ?? null };
  }

  // --- a session that windows share

  get #alone() {
    return !this.#windows || (this.#windows.leading && !this.#windows.others.size);
  }

  /** @param {T.Life} life */
  async #join(life) {
    const { signal } = life.events;
    const { BroadcastChannel, navigator } = this.#options.window;
    const left = new Promise((resolve) => signal.addEventListener("abort", resolve));
    /** @param {string} id @param {() => unknown} granted */
    const lock = (id, granted) => navigator.locks.request(`${this.#name} ${id}`, { signal }, granted);
    const hold = (id = "") => new Promise((resolve, reject) => lock(id, () => (resolve(id), left)).catch(reject));
    try {
      const channel = new BroadcastChannel(this.#name);
      left.then(() => channel.close());
      /** @type {T.Windows} */
      const windows = {
        leading: false,
        epoch: "",
        others: new Map(),
        untaken: new Set(),
        post: (note) => channel.postMessage({ from: this.#windowId, ...note }),
        watch: (id) => {
          lock(id, () => {
            const names = windows.others.get(id);
            windows.others.delete(id);
            this.#bury(names ?? []);
          }).catch(() => {});
        },
      };
      this.#windows = windows;
      channel.onmessage = ({ data }) => windows === this.#windows && this.#hear(windows, data);
      await hold(this.#windowId);
      windows.post({ hello: true });
      await hold();
      if (signal.aborted) return;
      windows.leading = true;
      for (const id of windows.others.keys()) windows.watch(id);
      windows.epoch = this.#nextId();
      this.#drop(new BayeuxError(LEADER_LOST));
      this.#prefer(this.#type);
      this.#share();
    } catch {
      if (signal.aborted) return;
      this.#windows = null;
    }
    this.#run(life);
  }

  /** @param {BayeuxError | null} [error] @param {T.State} [state] */
  #share(error = null, state) {
    const windows = this.#windows;
    if (windows?.leading) windows.post({ status: { ...this.#status(state), epoch: windows.epoch, error: error && { ...error } } });
  }

  /** @param {T.Windows} windows @param {T.Note} note */
  #hear(windows, { from, hello, names, to, body, took, messages, status }) {
    const known = windows.others.get(from);
    if (!known && windows.leading) windows.watch(from);
    windows.others.set(from, names ?? known ?? []);
    if (hello) windows.post({ names: this.#names() });
    if (windows.leading) {
      if (hello) this.#share();
      if (body && to === windows.epoch && this.#ready) this.#forward(windows, parse(body));
      return;
    }
    for (const id of took ?? []) windows.untaken.delete(id);
    if (messages) this.#receive(messages);
    if (status) this.#follow(windows, status);
  }

  /** @param {T.Windows} windows @param {T.Message[]} messages */
  #forward(windows, messages) {
    // First, so that what is not taken when this window dies was certainly not sent.
    windows.post({ took: messages.map(({ id }) => id) });
    for (const message of messages) {
      const { channel, id = "", subscription } = message;
      const answer = (/** @type {object} */ fields) => windows.post({ messages: [{ channel, id, ...fields }] });
      const { maxQueue } = this.#options;
      if (channel === "/meta/unsubscribe" && this.#needed(String(subscription))) answer({ subscription, successful: true });
      else if (this.#queue.length >= maxQueue) answer({ error: `0:${maxQueue}:queue_full` });
      else this.#queue.push({ message, forwarded: true, resolve() {}, reject: (error) => answer({ error: wire(asFailure(error)) }) });
    }
    this.#flush();
  }

  /** @param {T.Windows} windows @param {T.Status} status */
  #follow(windows, { state, ready, type, clientId, advice, error, epoch, ack }) {
    const cause = error && new BayeuxError(wire(error), error);
    if (epoch !== windows.epoch) {
      const same = epoch.slice(0, WINDOW_ID) === windows.epoch.slice(0, WINDOW_ID);
      this.#drop(same ? cause ?? this.#failure : new BayeuxError(LEADER_LOST));
      windows.epoch = epoch;
      this.#ack?.resume(ack);
    }
    const renewed = clientId !== this.#clientId;
    if (renewed) this.#forget(cause);
    this.#clientId = clientId;
    this.#type = type;
    this.#advise(advice);
    this.#ready = ready;
    if (renewed) this.#restore();
    if (ready) {
      this.#transport ??= {
        idle: true,
        close() {},
        send(body, messages) {
          for (const { id } of messages) windows.untaken.add(id);
          windows.post({ to: windows.epoch, body });
        },
      };
      this.#flush();
    }
    if (state === "disconnected") this.#end(cause ?? this.#failure);
    else if (ready || state !== "connected") this.#become(state, cause);
    if (this.#state === "connected") this.#life?.resolve();
  }

  /** @param {"incoming" | "outgoing"} direction @param {T.Message} message @returns {T.Message | null} */
  #extend(direction, message) {
    const extensions = [...this.#options.extensions];
    if (direction === "outgoing") extensions.reverse();
    /** @type {T.Message | null} */
    let seen = message;
    for (const extension of extensions) {
      this.#guard(() => {
        const result = seen && extension[direction]?.(seen);
        if (result !== undefined) seen = result;
      });
    }
    return seen;
  }

  /** @param {() => unknown} callback */
  #guard(callback) {
    try {
      callback();
    } catch (error) {
      this.#report(error);
    }
  }

  /** @param {unknown} error */
  #report(error) {
    if (this.dispatchEvent(new CustomEvent("error", { detail: { error }, cancelable: true }))) console.error(error);
  }

  /** @param {T.State} state @param {BayeuxError | null} [error] */
  #become(state, error = null) {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#share(error);
    this.dispatchEvent(new CustomEvent("state", { detail: { state, previous, transport: this.transport, reason: error?.message ?? "", error } }));
  }

  /** @param {number} delay @param {() => void} callback */
  #after(delay, callback) {
    return this.#options.setTimeout(callback, Math.min(delay, MAX_DELAY));
  }

  /** @param {number} delay @returns {Promise<void>} */
  #pause(delay) {
    return new Promise((resolve) => {
      const timer = this.#after(delay, resolve);
      this.#wake = () => {
        this.#options.clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** @implements {T.Ack} */
export class Ack {
  /** @type {T.AckState | null} */ state = null;
  #again = 0;

  /** @param {T.Message} message */
  outgoing(message) {
    const { channel, advice, ext } = message;
    const handshake = channel === "/meta/handshake";
    if (handshake) this.state = null;
    else if (channel !== "/meta/connect" || !this.state) return;
    else if (advice) this.#again = this.state.seen;
    message.ext = { ...ext, ack: this.state?.batch ?? true };
  }

  /** @param {T.Message} message */
  incoming({ channel, successful, ext, ...fields }) {
    const ack = /** @type {any} */ (ext?.ack);
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

  /** @param {T.AckState | null} state */
  resume(state) {
    this.#again = 0;
    if (state?.batch !== this.state?.batch) this.state = state;
    else if (this.state) this.#again = this.state.seen;
  }
}

/** @implements {T.TimeSync} */
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

  /** @type {T.TimeSync["sample"]} */
  async sample(bus) {
    const before = this.#samples.at(-1);
    await bus.send({ channel: "/meta/subscribe", subscription: "/service/timesync", ext: { timesync: {} } }).catch((error) => {
      if (!error.reply) throw error;
    });
    const sample = this.#samples.at(-1);
    return sample && sample !== before ? sample : null;
  }

  /** @param {T.Message} message */
  outgoing(message) {
    if (!message.channel.startsWith("/meta/")) return;
    const known = message.ext?.timesync ? {} : { l: Math.round(this.lag), o: Math.round(this.offset) };
    message.ext = { ...message.ext, timesync: { tc: this.#now(), ...known } };
  }

  /** @param {T.Message} message */
  incoming({ channel, ext }) {
    const { tc, ts, p } = /** @type {Record<string, unknown>} */ (ext?.timesync ?? {});
    if (!channel.startsWith("/meta/") || typeof tc !== "number" || typeof ts !== "number" || typeof p !== "number") return;
    const at = this.#now();
    const lag = Math.max(0, (at - tc - p) / 2);
    const offset = ts - tc - lag;
    const agreeing = this.#samples.filter((old) => Math.abs(old.offset - offset) <= old.lag + lag + 50);
    const sample = { offset, lag, at };
    this.#samples = [...agreeing, sample].slice(-10);
    this.dispatchEvent(new CustomEvent("sample", { detail: sample }));
  }

  /** @param {"offset" | "lag"} key */
  #estimate(key) {
    const best = this.samples.sort((a, b) => a.lag - b.lag).slice(0, Math.ceil(this.#samples.length / 2));
    return best.reduce((sum, sample) => sum + sample[key], 0) / (best.length || 1);
  }
}
