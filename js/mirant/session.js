/** The life of a session: handshake, connect after connect, recovery; until it ends. */
import { Application } from "./application.js";
import { Link } from "./link.js";
import { BayeuxError, Requests, asFailure, broken } from "./requests.js";

/** @type {T.Advice} */
const ADVICE = { reconnect: "retry", interval: 0, timeout: 60_000, maxInterval: 0 };
const SEVERAL = "multiple-clients";

const duration = (value) => (typeof value === "number" && value > 0 ? value : 0);

export class Session {
  /** @type {T.Life | null} */ #life = null;
  #reload;
  #failure = broken("closed");
  /** @type {T.State} */ state = "disconnected";
  /** @type {string | null} */ clientId = null;
  advice = ADVICE;
  windows;
  network;
  ended = false;
  requests = new Requests(this);

  /** @param {EventTarget} bus @param {T.Settings} settings */
  constructor(bus, settings) {
    this.settings = settings;
    this.application = new Application(bus, this);
    this.link = new Link(this);
  }

  get transport() {
    return this.link.ready ? this.link.type : null;
  }

  connect() {
    const current = this.#life;
    if (current) return current.left?.then(() => this.connect()) ?? current.connected;
    const life = /** @type {T.Life} */ ({ events: new AbortController() });
    life.connected = new Promise((resolve, reject) => Object.assign(life, { resolve, reject }));
    this.#life = life;
    this.ended = false;
    this.#advise(ADVICE);
    this.link.reset();
    this.link.forgive();
    this.#watch(life);
    this.become("connecting");
    this.#begin(life);
    return life.connected;
  }

  async disconnect() {
    const life = this.#life;
    if (life) await (life.left ??= this.#leave(life));
  }

  async #begin(life) {
    const { settings: { reload, shared }, application } = this;
    // A session that goes on may get a lot at once.
    Promise.resolve(reload || life.connected).then(() => import("./network.js")).then(({ watch }) => {
      this.network = watch(this, life.events.signal);
    }, () => {});
    if (reload) {
      this.#reload = await import("./reload.js").catch(application.report);
      if (life === this.#life) application.guard(() => this.#reload?.resume(this));
    }
    if (shared) await import("./windows.js").then(({ join }) => join(this, life.events.signal), application.report);
    await this.#run(life);
  }

  async #run(life) {
    while (life === this.#life) {
      try {
        await this.#establish(life);
        for (;;) {
          const interval = duration(this.advice.interval);
          if (interval) await this.link.pause(interval);
          if (life !== this.#life || !this.link.isOpen) throw this.#failure;
          await this.#connect();
        }
      } catch (error) {
        if (life !== this.#life) return;
        await this.#recover(asFailure(error));
      }
    }
  }

  async #establish(life) {
    const failed = [];
    for (const type of this.link.types) {
      try {
        if (!this.link.isOpen) await this.link.open(type);
        if (!this.clientId) await this.#handshake(life);
        await this.#connect({ timeout: 0 });
        return this.link.prove(failed);
      } catch (error) {
        const failure = asFailure(error);
        if (life !== this.#life || failure.reply) throw failure;
        this.drop(failure);
        failed.push(type);
      }
    }
    throw this.#failure;
  }

  async #handshake(life) {
    const { handshake } = this.settings;
    const fields = typeof handshake === "function" ? await handshake() : handshake;
    if (life !== this.#life || !this.link.isOpen) throw this.#failure;
    const { types, type } = this.link;
    const { timeout, interval } = ADVICE;
    const message = { channel: "/meta/handshake", version: "1.0", minimumVersion: "1.0", supportedConnectionTypes: types, advice: { timeout, interval }, ...fields };
    const reply = await this.requests.exchange(message);
    const offered = reply.supportedConnectionTypes ?? types;
    const missing = types.filter((type) => !offered.includes(type));
    if (missing.length === types.length) {
      throw new BayeuxError(`405:c[${types}],s[${offered}]:no_transport`, { channel: message.channel, reply: { ...reply, advice: { reconnect: "none" } } });
    }
    this.clientId = reply.clientId ?? null;
    this.#heed(reply);
    this.link.avoid(missing);
    if (missing.includes(type)) throw broken(`${type} not offered`);
    this.application.restore();
    this.link.mark(true);
    this.windows?.changed();
    this.requests.flush();
  }

  async #connect(advice) {
    const hold = advice ? 0 : duration(this.advice.timeout);
    const message = { channel: "/meta/connect", connectionType: this.link.type ?? "", ...(advice && { advice }) };
    this.#heed(await this.requests.exchange(message, hold));
    this.link.reset();
    this.link.mark(true);
    this.become("connected");
    this.requests.flush();
  }

  #heed(reply) {
    if (!reply.advice) return;
    // Not every server takes back the interval.
    const former = this.advice[SEVERAL] ? { ...this.advice, interval: 0 } : this.advice;
    this.#advise({ ...former, reconnect: "retry", [SEVERAL]: false, ...reply.advice });
    if (this.advice.reconnect !== "retry") throw new BayeuxError("0::disconnected_by_server", { channel: reply.channel, reply });
  }

  #advise(advice) {
    const several = advice[SEVERAL] ?? false;
    const changed = several !== (this.advice[SEVERAL] ?? false);
    this.advice = advice;
    if (changed) this.application.tell("windows", { several });
    this.windows?.changed();
  }

  async #recover(error) {
    const { link } = this;
    const { reply, code } = error;
    const action = reply?.advice?.reconnect ?? (code === 402 ? "handshake" : "retry");
    if (action === "none") return this.end(error);
    const lost = this.clientId && action === "handshake";
    // A new socket has the cookies of now.
    if (lost || !this.clientId || !reply || link.type !== link.types[0]) this.drop(error);
    link.mark(false);
    if (this.state === "connecting") this.application.report(error);
    this.#interrupt(error);
    const delay = Math.max(link.delay(lost), duration(reply?.advice?.interval));
    const { timeout, interval, maxInterval } = this.advice;
    const most = duration(maxInterval) && duration(timeout) + duration(interval) + duration(maxInterval);
    if (lost || link.absence(delay) > (most || Infinity)) this.forget(error);
    if (delay) await link.pause(delay);
  }

  async #leave(life) {
    // Waits for what was published before; harmlessly if other windows need the session.
    const last = this.#alone ? { channel: "/meta/disconnect" } : { channel: "/meta/subscribe", subscription: "/service/leave" };
    if (this.link.ready) await this.requests.add(last).catch(() => {});
    if (life === this.#life) this.end(new BayeuxError("disconnect"));
  }

  end(cause = this.#failure, farewell) {
    const { windows } = this;
    const life = this.#life;
    if (!life) return;
    const left = life.left || cause.error === "pagehide";
    this.link.close(farewell);
    windows?.detach(left ? null : this.#failure);
    if (!left) windows?.changed(cause, "disconnected");
    this.windows = this.#life = null;
    this.ended = true;
    this.application.wait(false);
    life.events.abort();
    this.requests.end(cause);
    this.forget(cause);
    this.become("disconnected", life.left ? new BayeuxError("disconnect") : cause);
    life.reject(cause);
  }

  #watch({ events: { signal } }) {
    const { window } = this.settings;
    window.addEventListener?.("online", () => {
      if (this.state !== "connected") this.link.forgive();
    }, { signal });
    window.addEventListener?.("pagehide", () => {
      let farewell;
      if (this.link.ready) this.application.guard(() => {
        farewell = this.requests.farewell(this.#alone && !this.#reload?.keep(this));
      });
      const left = this.#life?.left;
      this.end(new BayeuxError("pagehide"), farewell);
      if (left) return;
      window.addEventListener("pageshow", (event) => {
        if ("persisted" in event && event.persisted) this.connect().catch(this.application.report);
      }, { once: true });
    }, { signal });
  }

  get #alone() {
    return this.windows?.alone ?? true;
  }

  fail(why, messages) {
    for (const message of messages ?? []) this.requests.settle(message, broken(why, { channel: message.channel }));
    if (messages) return;
    this.windows?.late();
    this.drop(broken(why));
  }

  drop(error = this.#failure) {
    if (!this.link.isOpen) return;
    this.#failure = error;
    this.link.close();
    this.requests.lose(error, this.windows?.detach(error));
    this.#interrupt(error);
  }

  #interrupt(error) {
    if (this.state === "connected" && !this.#life?.left) this.become("interrupted", error);
  }

  forget(cause) {
    this.clientId = null;
    this.requests.forget(cause);
  }

  become(state, error) {
    const previous = this.state;
    if (state === "connected") this.#life?.resolve();
    if (state === previous) return;
    this.state = state;
    this.windows?.changed(error);
    this.application.tell("state", { state, previous, transport: this.transport, reason: error?.message ?? "", error: error ?? null });
  }

  share(windows) {
    this.windows = windows;
  }

  adopt({ clientId, advice }) {
    this.clientId = clientId;
    this.#advise(advice);
  }
}
