/** A Bayeux server, its two transports and a clock, all inside the test: nothing here waits for real time. */
import { Mirant } from "../../js/mirant.js";

// Node 18 has no CustomEvent yet; browsers do.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null, ...init } = {}) {
    super(type, init);
    this.detail = detail;
  }
};

/** Lets every promise that can settle do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export class Clock {
  time = 1_000_000;
  #timers = new Map();
  #lastTimer = 0;

  now = () => this.time;

  setTimeout = (callback, delay) => {
    this.#timers.set(++this.#lastTimer, { callback, at: this.time + delay });
    return this.#lastTimer;
  };

  clearTimeout = (timer) => void this.#timers.delete(timer);

  /** How long until each timer, soonest first. */
  get delays() {
    return [...this.#timers.values()].map(({ at }) => at - this.time).sort((a, b) => a - b);
  }

  async advance(delay) {
    const end = this.time + delay;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([a, { at: x }], [b, { at: y }]) => x - y || a - b)[0];
      if (!due) break;
      const [timer, { callback, at }] = due;
      this.#timers.delete(timer);
      this.time = Math.max(this.time, at);
      callback();
      await settle();
    }
    this.time = end;
  }
}

const UNKNOWN = { successful: false, error: "402::session_unknown" };

/** Speaks as CometD's server does: a connect with timeout 0 is answered at once, any other is held. */
export class FakeServer {
  advice = { reconnect: "retry", interval: 0, timeout: 30_000 };
  types = ["websocket", "long-polling"];
  /** "ok", "refused" (closes before it opens) or "silent" (never opens). */
  websocket = "ok";
  /** "ok", "down" (no network), "silent" (no response ever), or a status to answer with. */
  http = "ok";
  /** Replaces the reply of a message when it returns one; null is silence. */
  answer = (_message) => undefined;

  /** Arrays of messages in the order they came: {via, messages}. */
  received = [];
  /** The requests behind them: {url, init}. */
  requests = [];
  sockets = [];
  sessions = new Set();
  #held = [];

  get socket() {
    return this.sockets.at(-1);
  }

  /** Messages received on a channel, or all. */
  messages(channel) {
    return this.received.flatMap(({ messages }) => messages).filter((message) => !channel || message.channel === channel);
  }

  channels() {
    return this.received.map(({ messages }) => messages.map(({ channel }) => channel));
  }

  get holds() {
    return this.#held.length;
  }

  /** Forgets the held connects, as when their client is gone or sends another. */
  letGo() {
    this.#held = [];
  }

  /** Answers the held connect, with deliveries before the reply. */
  async release(deliveries = [], fields = {}) {
    const { message, reply } = this.#held.shift();
    reply([...deliveries, { channel: "/meta/connect", id: message.id, successful: true, ...fields }]);
    await settle();
  }

  /** Sends messages of its own accord: on a WebSocket at once, else as the answer to the held connect. */
  async push(...messages) {
    if (this.socket?.readyState === 1) this.socket.receive(messages);
    else await this.release(messages);
    await settle();
  }

  receive(via, messages, reply) {
    this.received.push({ via, messages });
    const replies = messages.flatMap((message) => this.#reply(message, reply));
    if (replies.length) reply(replies);
  }

  #reply(message, reply) {
    const { channel, id } = message;
    const own = this.answer(message);
    if (own === null) return [];
    if (own) return [own].flat().map((fields) => ({ channel, id, ...fields }));
    if (channel === "/meta/handshake") return [this.#handshake(message)];
    if (!this.sessions.has(message.clientId)) {
      const advice = channel === "/meta/connect" && { advice: { reconnect: "handshake", interval: 0 } };
      return [{ channel, id, ...UNKNOWN, ...advice }];
    }
    if (channel === "/meta/connect" && message.advice?.timeout !== 0) {
      this.#held.push({ message, reply });
      return [];
    }
    if (channel === "/meta/connect") return [{ channel, id, successful: true, advice: this.advice }];
    if (channel === "/meta/disconnect") this.sessions.delete(message.clientId);
    const { subscription } = message;
    return [{ channel, id, successful: true, ...(subscription && { subscription }) }];
  }

  #handshake({ channel, id }) {
    const clientId = `session${this.sessions.size + 1}of${this.messages("/meta/handshake").length}`;
    this.sessions.add(clientId);
    return { channel, id, successful: true, clientId, version: "1.0", supportedConnectionTypes: this.types, advice: this.advice };
  }

  fetch = (url, init) => {
    this.requests.push({ url, init });
    if (this.http === "down") return Promise.reject(new TypeError("fetch failed"));
    return new Promise((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal.reason));
      if (this.http === "silent") return;
      const respond = (status, body) => resolve({ status, text: async () => body });
      if (this.http !== "ok") return respond(this.http, "");
      const reply = (messages) => respond(200, typeof messages === "string" ? messages : JSON.stringify(messages));
      this.receive(new URL(url).pathname, JSON.parse(init.body), reply);
    });
  };

  get WebSocket() {
    const server = this;
    return class FakeWebSocket {
      readyState = 0;
      onopen = null;
      onmessage = null;
      onclose = null;
      closedWith = null;

      constructor(url) {
        this.url = url;
        server.sockets.push(this);
        if (server.websocket === "ok") queueMicrotask(() => this.#opened());
        if (server.websocket === "refused") queueMicrotask(() => this.lose());
      }

      #opened() {
        this.readyState = 1;
        this.onopen?.({});
      }

      send(body) {
        server.receive("websocket", JSON.parse(body), (messages) => queueMicrotask(() => this.receive(messages)));
      }

      receive(messages) {
        this.onmessage?.({ data: typeof messages === "string" ? messages : JSON.stringify(messages) });
      }

      /** The connection breaks. */
      lose(code = 1006, reason = "") {
        this.readyState = 3;
        this.onclose?.({ code, reason });
      }

      close(code) {
        this.readyState = 3;
        this.closedWith = code;
      }
    };
  }
}

/** The same with the ack extension, for one session: messages leave with answers to connects, until they are acknowledged. */
export class AckServer extends FakeServer {
  waiting = [];
  #sent = [];
  #batch = 0;
  /** Whether answers to connects reach the client whole ("ok"), or their messages only ("cut"), or not at all ("lost"). */
  way = "ok";

  receive(via, messages, reply) {
    const connect = messages.find(({ channel }) => channel === "/meta/connect");
    if (connect && this.sessions.has(connect.clientId)) {
      this.letGo();
      this.waiting.unshift(...this.#sent.filter(({ batch }) => !(batch <= connect.ext?.ack)).map(({ message }) => message));
      this.#sent = [];
    }
    super.receive(via, messages, (replies) => {
      const complete = replies.flatMap((one) => this.#complete(one));
      const passed = this.way === "cut" ? complete.filter((one) => "data" in one) : complete;
      if (passed.length && this.way !== "lost") reply(passed);
    });
    if (this.waiting.length && this.holds) this.release();
  }

  #complete(reply) {
    if (!reply.successful) return [reply];
    if (reply.channel === "/meta/handshake") {
      this.#sent = [];
      this.#batch = 0;
      return [{ ...reply, ext: { ack: true } }];
    }
    if (reply.channel !== "/meta/connect") return [reply];
    const messages = this.waiting.splice(0);
    this.#batch++;
    this.#sent.push(...messages.map((message) => ({ batch: this.#batch, message })));
    return [...messages, { ...reply, ext: { ack: this.#batch } }];
  }

  /** Messages for the session, which leave at once if a connect is held. */
  async deliver(...messages) {
    this.waiting.push(...messages);
    if (this.holds) await this.release();
    await settle();
  }
}

/** The locks and channels of one browser, its windows, and how they end. */
export class FakeBrowser {
  #locks = new Map();
  #channels = new Set();

  /** What a page has of its window; `end()` is a crash. */
  window({ storage = new Map() } = {}) {
    const browser = this;
    const window = new EventTarget();
    const own = { dead: false, held: new Set() };
    window.end = () => {
      own.dead = true;
      for (const lock of own.held) lock.release();
      for (const queue of this.#locks.values()) for (const lock of [...queue]) if (lock.own === own) lock.release();
    };
    window.isDead = () => own.dead;
    window.navigator = { locks: { request: (name, { signal }, callback) => this.#request(own, name, signal, callback) } };
    window.sessionStorage = {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
      removeItem: (key) => void storage.delete(key),
    };
    window.BroadcastChannel = class {
      constructor(name) {
        Object.assign(this, { name, own, closed: false });
        browser.#channels.add(this);
      }

      postMessage(data) {
        if (this.closed) throw new Error("the channel is closed");
        if (own.dead) return;
        const copy = structuredClone(data);
        for (const other of browser.#channels) {
          if (other === this || other.name !== this.name) continue;
          queueMicrotask(() => !other.own.dead && !other.closed && other.onmessage?.({ data: structuredClone(copy) }));
        }
      }

      close() {
        this.closed = true;
        browser.#channels.delete(this);
      }
    };
    return window;
  }

  #request(own, name, signal, callback) {
    const queue = this.#locks.get(name) ?? [];
    this.#locks.set(name, queue);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const next = () => queue[0]?.run();
      const lock = { own, running: false };
      lock.release = () => {
        if (!queue.includes(lock)) return;
        queue.splice(queue.indexOf(lock), 1);
        queueMicrotask(next);
      };
      lock.run = () => {
        if (lock.running || own.dead) return;
        lock.running = true;
        own.held.add(lock);
        Promise.resolve(callback()).then(resolve).finally(lock.release);
      };
      signal.addEventListener("abort", () => {
        if (lock.running) return;
        lock.release();
        reject(signal.reason);
      });
      queue.push(lock);
      queueMicrotask(next);
    });
  }
}

/** A bus against a fake server; its state changes and errors are recorded. */
export function setUp({ server = new FakeServer(), clock = new Clock(), ...options } = {}) {
  const { setTimeout, clearTimeout, now } = clock;
  const { fetch, WebSocket } = server;
  const seams = { fetch, WebSocket, setTimeout, clearTimeout, now, random: () => 0, window: new EventTarget() };
  const bus = new Mirant("http://bus.example/cometd", { ...seams, ...options });
  const states = [];
  const errors = [];
  const windows = [];
  bus.addEventListener("windows", ({ detail }) => windows.push(detail.several));
  bus.addEventListener("state", ({ detail }) => states.push(detail));
  bus.addEventListener("error", (event) => {
    event.preventDefault();
    errors.push(event.detail.error);
  });
  return { bus, server, clock, states, errors, windows, window: options.window ?? seams.window };
}

/** The same, connected. */
export async function connected(options) {
  const fixture = setUp(options);
  await fixture.bus.connect();
  await settle();
  return fixture;
}

export const LONG_POLLING = { transports: ["long-polling"] };

/** What becomes of a promise: {value} or {error}; asked for early, a rejection is never unhandled. */
export const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));

/** Whether a promise is still open when all that can settle has. */
export async function pending(promise) {
  const open = Symbol("open");
  return (await Promise.race([outcome(promise), settle().then(() => open)])) === open;
}
