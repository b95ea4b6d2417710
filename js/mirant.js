// @ts-check
/**
 * Mirant's browser client: Bayeux 1.0 (CometD) over WebSocket and long-polling, in one module without
 * dependencies. mirant.d.ts documents the API, README.md its use. Times are milliseconds.
 *
 * A transport moves arrays of messages and knows no session; Mirant owns the session, the queue and the
 * loop handshake → connect → connect → …; an extension sees each message on its way in and out.
 */
/** @import * as T from "./mirant.d.ts" */
/** @import { Call, Channel, Delivery, Exchange, Life, Listener, Message, Options, Request } from "./mirant.d.ts" */

const MAX_BATCH = 500; // Mirant's servers take arrays of 1,000; only what an outage piled up is split
const MAX_DELAY = 2 ** 31 - 1; // setTimeout fires at once when given more
const ADVICE = { reconnect: /** @type {const} */ ("retry"), interval: 0, timeout: 60_000, maxInterval: 0 };

/** Advice is foreign: 0 for what is no duration. @param {unknown} value */
const duration = (value) => (typeof value === "number" && value > 0 ? value : 0);

/** @param {string} why @param {object} [facts] */
const broken = (why, facts) => new BayeuxError(`0:${why.replaceAll(":", "")}:transport_failed`, facts);

/** @param {unknown} error @returns {BayeuxError} */
const asFailure = (error) => (error instanceof BayeuxError ? error : broken(String(error), { cause: error }));

/** @param {string} text @returns {Message[]} */
const parse = (text) => [JSON.parse(text)].flat();

/** @implements {T.BayeuxError} */
export class BayeuxError extends Error {
  /** @param {string} text  `code:args:error` @param {{channel?: string | undefined, reply?: Message | undefined, cause?: unknown}} [facts] */
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

  /** @param {URL} url @param {Options} options @param {T.Host} host */
  constructor(url, options, host) {
    this.url = url;
    this.options = options;
    this.host = host;
  }
}

/** JSON arrays in text frames, on the bare URL, without sub-protocol. @implements {T.Transport} */
class WebSocketTransport extends Transport {
  /** @type {WebSocket | undefined} */ #socket;
  #refuse = (/** @type {Error} */ _) => {};

  /** @returns {Promise<void>} */
  open() {
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      // Throws, and so rejects, where there is no WebSocket or this page may not use it.
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
        if (typeof data !== "string") return; // only text frames are Bayeux
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

/** POSTs: one may hold a /meta/connect, and one more carries everything else. @implements {T.Transport} */
class LongPollingTransport extends Transport {
  #closed = new AbortController();

  async open() {}

  /** @type {T.Transport["send"]} */
  async send(body, messages) {
    const channel = messages.length > 1 ? "" : messages[0]?.channel ?? "";
    const polls = channel === "/meta/connect";
    this.idle &&= polls;
    try {
      const response = await this.#post(channel, body, { signal: this.#closed.signal });
      const { status } = response;
      if (status === 200) this.host.receive(parse(await response.text()));
      // 5xx says the server or the way to it is bad, 4xx only these messages; so does a reply that is missing.
      this.host.fail(`HTTP ${status} without a reply`, status < 500 ? messages : undefined);
    } catch (error) {
      this.host.fail(String(error)); // no network, or no JSON: a captive portal answers 200 too
    }
    if (polls) return;
    this.idle = true;
    this.host.drain();
  }

  /** @type {T.Transport["close"]} */
  close(farewell) {
    this.#closed.abort();
    // With keepalive a request outlives the page as sendBeacon's does, and has the headers too.
    if (farewell) this.#post("/meta/disconnect", farewell, { keepalive: true }).catch(() => {});
  }

  /** @param {string} channel @param {string} body @param {RequestInit} init */
  async #post(channel, body, init) {
    const { fetch, headers, credentials } = this.options;
    const url = new URL(this.url);
    // CometD's servers do not look at the path; a URL with a query may not be one of theirs, and is left alone.
    const [, kind = ""] = /^\/meta\/(handshake|connect|disconnect)$/.exec(channel) ?? [];
    if (!url.search) url.pathname = `${url.pathname.replace(/\/$/, "")}/${kind}`;
    return fetch(url.href, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, credentials, body, ...init });
  }
}

const TRANSPORTS = { "websocket": WebSocketTransport, "long-polling": LongPollingTransport };

/** @implements {T.Mirant} */
export class Mirant extends EventTarget {
  /** @type {URL} */ #url;
  /** @type {Options} */ #options;
  /** @type {T.State} */ #state = "disconnected";
  /** @type {Life | null} null while disconnected */ #life = null;
  /** Disconnected after it was connected: what is sent now would wait for ever. */ #ended = false;

  /** @type {T.Transport | null} */ #transport = null;
  /** @type {T.TransportType | null} */ #type = null;
  /** There is a session, and the transport has shown that it works: the queue may leave. */ #ready = false;
  /** Why the last transport broke. */ #failure = broken("closed");
  /** Failed attempts since the last success. */ #failures = 0;
  /** Since when there is no connection. */ #lostAt = 0;
  /** When a session was last replaced at once. */ #replacedAt = -Infinity;
  /** @type {Set<T.TransportType>} do not work on this network, or with this server */ #avoided = new Set();
  /** @type {Set<T.TransportType>} have carried a session */ #proven = new Set();

  /** @type {string | null} */ #clientId = null;
  /** @type {T.Advice} */ #advice = ADVICE;
  #lastId = 0;
  /** @type {Request[]} not yet sent */ #queue = [];
  /** @type {Map<string, Request>} without reply yet, by id */ #sent = new Map();
  /** @type {Map<string, Call>} */ #calls = new Map();
  /** @type {Map<string, Channel>} */ #channels = new Map();
  /** @type {Map<string, Set<Listener>>} of listen() */ #local = new Map();
  #batches = 0;
  #flushing = false;
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
      ...options,
      backoff: { first: 1_000, max: 30_000, jitter: 0.5, ...options.backoff },
    };
    const strange = this.#options.transports.find((type) => !(type in TRANSPORTS));
    if (strange) throw new TypeError(`unknown transport: ${strange}`);
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
    const life = /** @type {Life} */ ({ events: new AbortController() });
    life.connected = new Promise((resolve, reject) => Object.assign(life, { resolve, reject }));
    this.#life = life;
    this.#ended = false;
    this.#advice = ADVICE;
    this.#failures = this.#lostAt = 0;
    this.#avoided.clear();
    this.#watch(life);
    this.#become("connecting");
    this.#run(life);
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
    /** @type {Promise<void> | undefined} */
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
      /** @type {Call} */
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

  // ---- the life of a session -------------------------------------------------------------------------------

  /** @param {Life} life */
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

  /** Finds the first transport that works, and has a session on it. @param {Life} life */
  async #establish(life) {
    /** @type {T.TransportType[]} */
    const failed = [];
    for (const type of this.#types()) {
      try {
        if (!this.#transport) await this.#launch(type);
        if (!this.#clientId) await this.#handshake(life);
        await this.#connect({ timeout: 0 });
        this.#proven.add(type);
        // Here this transport works and those before it do not: they are tried again only if they ever did.
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

  /** @param {Life} life */
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
    // The session goes on, over a transport that the server has.
    if (missing.some((type) => type === this.#type)) throw broken(`${this.#type} not offered`);
    this.#restore();
    this.#ready = true;
    this.#flush();
  }

  /** The heartbeat: one /meta/connect after the other. @param {Life} life */
  async #converse(life) {
    for (;;) {
      const interval = duration(this.#advice.interval);
      if (interval) await this.#pause(interval);
      if (life !== this.#life || !this.#transport) throw this.#failure;
      await this.#connect();
    }
  }

  /** @param {T.Advice} [advice]  timeout 0: on a new transport, to be answered at once */
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

  /** Takes the advice of a successful reply; that of broadcasts is whatever their publisher wrote. @param {Message} reply */
  #heed(reply) {
    if (!reply.advice) return;
    this.#advice = { ...this.#advice, "reconnect": "retry", "multiple-clients": false, ...reply.advice };
    if (this.#advice.reconnect === "retry") return;
    throw new BayeuxError("0::disconnected_by_server", { channel: reply.channel, reply });
  }

  /** Waits, and lets #run try again: with the session, if there still is one. @param {BayeuxError} error */
  async #recover(error) {
    const { reply, code } = error;
    const advice = reply?.advice;
    // Without advice: the same again, unless there is no session to go on with.
    const action = advice?.reconnect ?? (code === 402 ? "handshake" : "retry");
    if (action === "none") return this.#end(error);
    if (!reply || this.#type !== this.#types()[0]) this.#drop(error);
    this.#ready = false;
    if (this.#state === "connecting") this.#report(error);
    this.#interrupt(error);

    const { now, backoff } = this.#options;
    const lost = this.#clientId && action === "handshake";
    // A lost session is replaced at once, but not over and over, as between servers that do not share sessions.
    const atOnce = lost && now() - this.#replacedAt > backoff.max;
    if (atOnce) this.#replacedAt = now();
    const delay = Math.max(atOnce ? 0 : this.#backoff(), duration(advice?.interval));
    this.#failures++;
    if (lost || this.#expires(delay)) this.#forget(error);
    if (delay) await this.#pause(delay);
  }

  #backoff() {
    const { first, max, jitter } = this.#options.backoff;
    // Chance only shortens: the clients of a restarted server come back spread out, and none late.
    return Math.min(max, first * 2 ** this.#failures) * (1 - jitter * this.#options.random());
  }

  /** Whether the server will have dropped the session by then, if it told how long it keeps one. @param {number} delay */
  #expires(delay) {
    const [timeout, interval, maxInterval] = [this.#advice.timeout, this.#advice.interval, this.#advice.maxInterval].map(duration);
    const now = this.#options.now();
    this.#lostAt ||= now;
    return maxInterval && now - this.#lostAt + delay > timeout + interval + maxInterval;
  }

  /** The session is gone, and with it the answers it still owed. @param {unknown} cause */
  #forget(cause) {
    this.#clientId = null;
    for (const { sent, channel, settle } of [...this.#calls.values()]) {
      if (sent) settle(new BayeuxError("0::session_lost", { channel, cause }));
    }
  }

  /** A new session has no subscriptions: those that live go first. */
  #restore() {
    const waiting = this.#queue;
    this.#queue = [];
    for (const channel of this.#channels.values()) {
      if (channel.pending) continue; // waits in the queue anyway
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

  /** @param {Life} life */
  async #leave(life) {
    // Through the queue: what was published before leaves before.
    if (this.#ready) await this.send({ channel: "/meta/disconnect" }).catch(() => {});
    if (life === this.#life) this.#end(new BayeuxError("disconnect"));
  }

  /** @param {BayeuxError} cause @param {string} [farewell]  sent when nobody can wait for its reply */
  #end(cause, farewell) {
    const life = this.#life;
    if (!life) return;
    const unsettled = [...this.#detach(farewell), ...this.#queue];
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

  /** Obeys the page, where there is one. @param {Life} life */
  #watch({ events: { signal } }) {
    const { window } = this.#options;
    window.addEventListener?.("online", () => {
      if (this.#state === "connected") return;
      this.#failures = 0;
      this.#avoided.clear(); // it may be another network
      this.#wake();
    }, { signal });
    window.addEventListener?.("pagehide", () => {
      const message = this.#ready && this.#extend("outgoing", this.#sign({ channel: "/meta/disconnect", id: this.#nextId() }));
      const left = this.#life?.left;
      this.#end(new BayeuxError("pagehide"), message ? JSON.stringify([message]) : undefined);
      if (left) return;
      window.addEventListener("pageshow", (event) => {
        // Back from the back/forward cache, which no connection survives.
        if (/** @type {PageTransitionEvent} */ (event).persisted) this.connect().catch((error) => this.#report(error));
      }, { once: true });
    }, { signal });
  }

  // ---- sending ---------------------------------------------------------------------------------------------

  #nextId() {
    return String(++this.#lastId);
  }

  /** Queues a message until this turn ends, and it can be sent. @param {Message} message @param {Channel} [kept] @returns {Promise<Message>} */
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

  /** Sends a message alone and at once, as handshakes must be and held connects should. @param {Message} message @param {number} wait @returns {Promise<Message>} */
  #exchange(message, wait) {
    return new Promise((resolve, reject) => {
      this.#transmit([{ message: { ...message, id: this.#nextId() }, resolve, reject }], wait);
    });
  }

  /** @param {Request[]} requests @param {number} wait  for the replies to all of them */
  #transmit(requests, wait) {
    /** @type {Exchange} */
    const exchange = { left: 0 };
    const messages = [];
    const bodies = [];
    for (const request of requests) {
      try {
        const message = this.#extend("outgoing", this.#sign(request.message));
        if (!message) throw new BayeuxError("404::message_deleted", { channel: request.message.channel });
        bodies.push(JSON.stringify(message)); // throws for what is no JSON, which harms that message only
        messages.push(message);
        this.#sent.set(String(message.id), Object.assign(request, { exchange, clientId: this.#clientId }));
        exchange.left++;
      } catch (error) {
        request.reject(error);
      }
    }
    if (!messages.length) return;
    exchange.timer = this.#after(wait, () => this.#fail(`no reply in ${wait} ms`));
    this.#transport?.send(`[${bodies}]`, messages);
  }

  /** @param {Message} message @returns {Message} */
  #sign(message) {
    return { ...message, ...(this.#clientId && { clientId: this.#clientId }) };
  }

  // ---- receiving -------------------------------------------------------------------------------------------

  /** @param {Message[]} messages */
  #receive(messages) {
    for (const received of messages) {
      if (typeof received?.channel !== "string") continue;
      const message = this.#extend("incoming", received);
      if (message) this.#dispatch(message);
      else this.#settle(received, new BayeuxError("404::message_deleted", { channel: received.channel, reply: received }));
    }
  }

  /** @param {Message} message */
  #dispatch(message) {
    const { channel, successful } = message;
    const meta = channel.startsWith("/meta/");
    const error = (/** @type {string} */ text) => new BayeuxError(message.error ?? text, { channel, reply: message });
    if ("data" in message && !meta) {
      // No reply, those have no data; but the answer to a call has its id.
      const call = this.#calls.get(String(message.id));
      if (call?.channel !== channel) return this.#deliver(message);
      this.#settle(message, null);
      return call.settle(successful === false && error("500::call_failed"), message.data);
    }
    const asked = this.#settle(message, successful ? null : error("0::unsuccessful"));
    if (meta) this.#deliver(message);
    // The server ends the session by itself.
    if (!asked && channel === "/meta/disconnect" && successful !== false) this.#end(error("0::disconnected_by_server"));
  }

  /** Settles the request that this replies to, if there is one. @param {Message} reply @param {BayeuxError | null} error */
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
    // A held /meta/connect would learn that the session is gone only when its time is over.
    if (gone && reply.channel !== "/meta/connect") this.#drop(error);
    return true;
  }

  /** @param {Request} request */
  #release({ exchange }) {
    if (exchange && !--exchange.left) this.#options.clearTimeout(exchange.timer);
  }

  /** Exact listeners first, then `*`, then `**` from the deepest up. @param {Message} message */
  #deliver(message) {
    const { channel } = message;
    const names = [channel];
    for (let path = channel; path; ) {
      path = path.slice(0, path.lastIndexOf("/"));
      if (names.length === 1) names.push(`${path}/*`);
      names.push(`${path}/**`);
    }
    if (channel.startsWith("/meta/")) names.pop(); // `/**` means all that is published
    const listeners = names.flatMap((name) => [...(this.#channels.get(name)?.listeners ?? []), ...(this.#local.get(name) ?? [])]);
    for (const { callback } of listeners) this.#guard(() => callback(/** @type {Delivery<any>} */ (message)));
  }

  // ---- failing ---------------------------------------------------------------------------------------------

  /** @type {T.Host["fail"]} */
  #fail(why, messages) {
    if (messages) for (const message of messages) this.#settle(message, broken(why, { channel: message.channel }));
    else this.#drop(broken(why));
  }

  /** Gives the transport up. What is in flight fails, unless it can be repeated. @param {BayeuxError} error */
  #drop(error) {
    if (!this.#transport) return;
    const sent = this.#detach();
    this.#failure = error;
    this.#queue.unshift(...sent.filter(({ kept }) => kept));
    for (const { message, kept, reject } of sent) {
      const { channel } = message;
      // #run must know what happened; a publisher, that nobody knows what became of its message.
      if (/^\/meta\/(handshake|connect)$/.test(channel)) reject(error);
      else if (!kept) reject(broken(String(error.args) || error.error, { channel, cause: error }));
    }
    this.#interrupt(error);
    this.#wake();
  }

  /** @param {string} [farewell] @returns {Request[]} what was in flight */
  #detach(farewell) {
    const sent = [...this.#sent.values()];
    sent.forEach(this.#release, this);
    this.#sent.clear();
    this.#ready = false;
    this.#transport?.close(farewell);
    this.#transport = null;
    return sent;
  }

  /** @param {BayeuxError} error */
  #interrupt(error) {
    if (this.#state === "connected" && !this.#life?.left) this.#become("interrupted", error);
  }

  // ---- subscriptions ---------------------------------------------------------------------------------------

  /** @param {string} name @returns {Channel} */
  #open(name) {
    const channel = { name, listeners: new Set(), ready: Promise.resolve(), pending: true };
    this.#channels.set(name, channel);
    this.#subscribe(channel);
    return channel;
  }

  /** @param {Channel} channel */
  #subscribe(channel) {
    channel.pending = true;
    channel.ready = this.#request({ channel: "/meta/subscribe", subscription: channel.name }, channel).finally(() => (channel.pending = false));
  }

  /** Returns whether it was the last listener. @param {Channel} channel @param {Listener} listener */
  #forsake({ name, listeners }, listener) {
    return listeners.delete(listener) && !listeners.size && this.#channels.delete(name);
  }

  /** @param {Channel} channel @param {Listener} listener */
  async #remove(channel, listener) {
    if (!this.#forsake(channel, listener) || this.#ended) return;
    // Never sent, so nothing to undo: an application that goes on and off while offline fills no queue.
    const unsent = this.#queue.findIndex(({ kept, exchange }) => kept === channel && !exchange);
    if (unsent >= 0) for (const { message, resolve } of this.#queue.splice(unsent, 1)) resolve(message);
    else await this.#request({ channel: "/meta/unsubscribe", subscription: channel.name }, channel);
  }

  // ---- small things ----------------------------------------------------------------------------------------

  /** @param {"incoming" | "outgoing"} direction @param {Message} message @returns {Message | null} */
  #extend(direction, message) {
    const extensions = [...this.#options.extensions];
    if (direction === "outgoing") extensions.reverse();
    /** @type {Message | null} */
    let seen = message;
    for (const extension of extensions) {
      this.#guard(() => {
        const result = seen && extension[direction]?.(seen);
        if (result !== undefined) seen = result;
      });
    }
    return seen;
  }

  /** Runs the code of others: if it throws, nobody else is harmed. @param {() => unknown} callback */
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
    this.dispatchEvent(new CustomEvent("state", { detail: { state, previous, transport: this.transport, reason: error?.message ?? "", error } }));
  }

  /** @param {number} delay @param {() => void} callback */
  #after(delay, callback) {
    return this.#options.setTimeout(callback, Math.min(delay, MAX_DELAY));
  }

  /** Until the time is over, or #wake is called. @param {number} delay @returns {Promise<void>} */
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

/** @implements {T.TimeSync} */
export class TimeSync extends EventTarget {
  /** @type {T.Sample[]} newest last */ #samples = [];
  #now;

  constructor({ now = Date.now } = {}) {
    super();
    this.#now = now; // kept: offsets refer to this clock, whatever becomes of Date
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
    // Answered at once and without effect: "/meta/subscribe" to a service channel succeeds and is not recorded.
    await bus.send({ channel: "/meta/subscribe", subscription: "/service/timesync", ext: { timesync: {} } }).catch((error) => {
      if (!error.reply) throw error; // a refusal tells the time as well
    });
    const sample = this.#samples.at(-1);
    return sample && sample !== before ? sample : null;
  }

  /** @param {Message} message */
  outgoing(message) {
    if (!message.channel.startsWith("/meta/")) return;
    // A server that gets `l` and `o` is silent when they are good; sample() leaves them out to get its answer.
    const known = message.ext?.timesync ? {} : { l: Math.round(this.lag), o: Math.round(this.offset) };
    message.ext = { ...message.ext, timesync: { tc: this.#now(), ...known } };
  }

  /** @param {Message} message */
  incoming({ channel, ext }) {
    const { tc, ts, p } = /** @type {Record<string, unknown>} */ (ext?.timesync ?? {});
    if (!channel.startsWith("/meta/") || typeof tc !== "number" || typeof ts !== "number" || typeof p !== "number") return;
    const at = this.#now();
    const lag = Math.max(0, (at - tc - p) / 2); // whole milliseconds: p may be rounded to more than the whole trip
    const offset = ts - tc - lag;
    // The truth is within ± lag of each sample. Those this one contradicts are from before a clock was set.
    const agreeing = this.#samples.filter((old) => Math.abs(old.offset - offset) <= old.lag + lag + 50);
    const sample = { offset, lag, at };
    this.#samples = [...agreeing, sample].slice(-10);
    this.dispatchEvent(new CustomEvent("sample", { detail: sample }));
  }

  /** The mean of the better half: a sample is the more exact, the less its lag. @param {"offset" | "lag"} key */
  #estimate(key) {
    const best = this.samples.sort((a, b) => a.lag - b.lag).slice(0, Math.ceil(this.#samples.length / 2));
    return best.reduce((sum, sample) => sum + sample[key], 0) / (best.length || 1);
  }
}
