/** The link to the server: which transport, and when to try again. */
import { broken } from "./requests.js";

class WebSocketTransport {
  #socket;
  idle = true;

  constructor(settings, host) {
    this.settings = settings;
    this.host = host;
  }

  async open(proven) {
    const { url } = this.settings;
    try {
      await this.#open(url.href);
    } catch (error) {
      if (proven || /\?|\/$/.test(url.href)) throw error;
      // Some frameworks do not answer at the bare path of a mount.
      await this.#open(`${url}/`);
      url.pathname += "/";
    }
  }

  #open(address) {
    return new Promise((resolve, reject) => {
      const socket = new this.settings.WebSocket(address.replace(/^http/, "ws"));
      this.#socket = socket;
      let open = false;
      socket.onopen = () => resolve(open = true);
      socket.onerror = () => {}; // close follows, but in Node an unheard error ends the process
      socket.onclose = ({ code, reason }) => {
        const why = `websocket closed ${code} ${reason}`.trim();
        reject(broken(why));
        if (open) this.host.fail(why);
      };
      socket.onmessage = ({ data }) => {
        if (typeof data !== "string") return;
        try {
          this.host.receive([JSON.parse(data)].flat());
        } catch (error) {
          this.host.fail(String(error));
        }
      };
    });
  }

  send(body) {
    this.#socket?.send(body);
  }

  get unsent() {
    return this.#socket.bufferedAmount;
  }

  close(farewell) {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    for (const message of farewell ?? []) socket.send(`[${message}]`);
    socket.close(1000);
  }
}

const TRANSPORTS = {
  "websocket": null,
  // A browser may remember that a module failed to load.
  "long-polling": () => import("./long-polling.js").catch(() => import(`./long-polling.js?${Date.now()}`)),
  "callback-polling": () => import("./callback-polling.js"),
};

export class Link {
  #session;
  #line;
  #avoided = new Set();
  #proven = new Set();
  /** @type {T.TransportType | null} */ type = null;
  ready = false;
  #failures = 0;
  #lostAt = 0;
  #replacedAt = -Infinity;
  #wake = () => {};

  /** @param {T.Session} session */
  constructor(session) {
    this.#session = session;
    const strange = session.settings.transports.find((type) => !(type in TRANSPORTS));
    if (strange) throw new TypeError(`unknown transport: ${strange}`);
  }

  get isOpen() {
    return !!this.#line;
  }

  get free() {
    return this.ready && this.carrier?.idle;
  }

  get carrier() {
    return this.#line?.transport;
  }

  get types() {
    const { transports } = this.#session.settings;
    const types = transports.filter((type) => !this.#avoided.has(type));
    return types.length ? types : transports;
  }

  open(type) {
    const session = this.#session;
    const { maxNetworkDelay, setTimeout, clearTimeout } = session.settings;
    const timer = setTimeout(() => session.fail(`${type} not open in ${maxNetworkDelay} ms`), maxNetworkDelay);
    return new Promise((resolve, reject) => {
      const line = { refuse: reject };
      this.#line = line;
      this.type = type;
      const current = () => line === this.#line;
      const start = async ({ Transport }) => {
        const transport = new Transport(session.settings, {
          receive: (messages) => current() && session.application.receive(messages),
          fail: (why, messages) => current() && session.fail(why, messages),
          progress: () => session.network?.moved(),
          drain: () => current() && session.requests.flush(),
        });
        line.transport = transport;
        await transport.open(this.#proven.has(type));
      };
      (TRANSPORTS[type]?.().then(start) ?? start({ Transport: WebSocketTransport })).then(resolve, reject);
    }).finally(() => clearTimeout(timer));
  }

  mark(ready) {
    this.ready = ready;
  }

  follow(type, ready, leader) {
    this.type = type;
    this.ready = ready;
    if (ready) this.#line ??= { transport: leader, refuse() {} };
  }

  send(body, messages) {
    this.carrier?.send(body, messages);
  }

  close(farewell) {
    this.ready = false;
    this.carrier?.close(farewell);
    this.#line?.refuse(broken("closed"));
    this.#line = null;
    this.#wake();
  }

  prove(failed) {
    if (this.type) this.#proven.add(this.type);
    this.avoid(failed.filter((type) => !this.#proven.has(type)));
  }

  avoid(types) {
    for (const type of types) this.#avoided.add(type);
  }

  prefer(type) {
    for (const other of this.#session.settings.transports) {
      if (!type || other === type) return;
      this.#avoided.add(other);
    }
  }

  forgive() {
    this.#failures = 0;
    this.#avoided.clear();
    this.#wake();
  }

  reset() {
    this.#failures = this.#lostAt = 0;
  }

  delay(lost) {
    const { now, random, backoff: { first, max, jitter } } = this.#session.settings;
    const atOnce = lost && now() - this.#replacedAt > max;
    if (atOnce) this.#replacedAt = now();
    // Chance spreads out the clients of a restarted server.
    const pause = Math.min(max, first * 2 ** this.#failures++) * (1 - jitter * random());
    return atOnce ? 0 : pause;
  }

  absence(delay) {
    const now = this.#session.settings.now();
    this.#lostAt ||= now;
    return now - this.#lostAt + delay;
  }

  pause(delay) {
    const { setTimeout, clearTimeout } = this.#session.settings;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(0);
      };
    });
  }
}
