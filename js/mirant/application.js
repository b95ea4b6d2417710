/** The application around a bus: its subscriptions and listeners, its extensions, its faults. */
import { BayeuxError } from "./requests.js";

const isBinary = (message) => message?.ext?.binary || message?.data?.byteLength >= 0;

export class Application {
  #bus;
  #session;
  #channels = new Map();
  #local = new Map();
  #early;
  #binary;
  #loading;

  /** @param {EventTarget} bus @param {T.Session} session */
  constructor(bus, session) {
    this.#bus = bus;
    this.#session = session;
  }

  tell(type, detail, cancelable = false) {
    return this.#bus.dispatchEvent(new CustomEvent(type, { detail, cancelable }));
  }

  report = (error) => {
    if (this.tell("error", { error }, true)) console.error(error);
  };

  guard(callback) {
    try {
      callback();
    } catch (error) {
      this.report(error);
    }
  }

  outgoing(message) {
    return this.#extend("outgoing", isBinary(message) ? this.#binary?.pack(message) : message);
  }

  prepare(messages) {
    if (!this.#binary && messages.some(isBinary)) {
      this.#loading ??= this.#session.requests.hold(import("./binary.js").then((module) => {
        this.#binary = module;
      }).catch(this.report).finally(() => (this.#loading = null)));
    }
    return this.#loading;
  }

  receive(messages) {
    this.#session.network?.moved();
    return this.prepare(messages)?.then(() => this.#receive(messages)) ?? this.#receive(messages);
  }

  #receive(messages) {
    this.#session.windows?.receives(messages);
    for (const received of messages) {
      if (typeof received?.channel !== "string") continue;
      const message = this.#extend("incoming", received);
      if (message) this.#dispatch(message);
      else this.#session.requests.settle(received, new BayeuxError("404::message_deleted", { channel: received.channel, reply: received }));
    }
  }

  #extend(direction, message) {
    const extensions = [...this.#session.settings.extensions];
    if (direction === "outgoing") extensions.reverse();
    for (const extension of extensions) {
      this.guard(() => {
        const result = message && extension[direction]?.(message);
        if (result !== undefined) message = result;
      });
    }
    return message;
  }

  #dispatch(message) {
    const { requests, windows } = this.#session;
    const { channel, successful } = message;
    if (windows?.knows(message) && ("data" in message || !requests.awaits(message))) return; // another window's
    const meta = channel.startsWith("/meta/");
    // Code 0 is from the leading window, not from the server.
    const error = (text = message.error) => new BayeuxError(text ?? "0::unsuccessful", { channel, reply: text?.startsWith("0:") ? undefined : message });
    this.guard(() => message.ext?.binary && this.#binary?.unpack(message));
    if ("data" in message && !meta) {
      const call = requests.call(message);
      if (!call) return this.#deliver(message);
      requests.settle(message, null);
      return call.settle(successful === false && error(message.error ?? "500::call_failed"), message.data);
    }
    const asked = requests.settle(message, successful ? null : error());
    if (meta) this.#deliver(message);
    if (!asked && channel === "/meta/disconnect" && successful !== false) this.#session.end(error(message.error ?? "0::disconnected_by_server"));
  }

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
    if (!listeners.length && "data" in message && this.#early?.length < this.#session.settings.maxQueue) this.#early.push(message);
    for (const { callback } of listeners) this.guard(() => callback(message));
  }

  get names() {
    return [...this.#channels.keys()];
  }

  async subscribe(name, callback, options) {
    const signal = options?.signal;
    signal?.throwIfAborted();
    const channel = this.#channels.get(name) ?? this.#subscribe({ name, listeners: new Set(), ready: Promise.resolve(), pending: true });
    const listener = { callback, quit: () => signal?.removeEventListener("abort", abort) };
    channel.listeners.add(listener);
    for (const message of this.#early?.splice(0) ?? []) this.#deliver(message);
    let left;
    let refuse;
    const unsubscribe = () => (left ??= this.#remove(channel, listener));
    const abort = () => {
      refuse(signal.reason);
      unsubscribe().catch(this.report);
    };
    signal?.addEventListener("abort", abort);
    await new Promise((resolve, reject) => {
      refuse = reject;
      channel.ready.then(resolve, (error) => {
        this.#forsake(channel, listener);
        reject(error);
      });
    });
    return { channel: name, unsubscribe };
  }

  listen(name, callback) {
    const listener = { callback };
    const listeners = this.#local.get(name) ?? new Set();
    this.#local.set(name, listeners.add(listener));
    return { remove: () => void (listeners.delete(listener) && !listeners.size && this.#local.delete(name)) };
  }

  #subscribe(channel) {
    const { name } = channel;
    this.#channels.set(name, channel);
    channel.pending = true;
    channel.ready = this.#session.requests.add({ channel: "/meta/subscribe", subscription: name }, channel).finally(() => (channel.pending = false));
    return channel;
  }

  restore() {
    this.#session.requests.renew(() => {
      for (const channel of this.#channels.values()) {
        if (channel.pending) continue;
        this.#subscribe(channel).ready.catch((error) => {
          if (error.reply) for (const listener of channel.listeners) this.#forsake(channel, listener);
          if (error.error !== "disconnected") this.report(error);
        });
      }
    }, ({ kept, message }) => kept && (message.channel === "/meta/unsubscribe" || this.#channels.get(kept.name) !== kept));
  }

  #forsake({ name, listeners }, listener) {
    listener.quit();
    return listeners.delete(listener) && !listeners.size && this.#channels.delete(name);
  }

  async #remove(channel, listener) {
    const { requests, windows, ended } = this.#session;
    if (!this.#forsake(channel, listener) || ended) return;
    const unsent = requests.cancel(({ kept, exchange }) => kept === channel && !exchange);
    if (!unsent && !windows?.keeps(channel.name)) await this.#withdraw(channel.name);
  }

  #withdraw(subscription) {
    return this.#session.requests.add({ channel: "/meta/unsubscribe", subscription }, { name: subscription });
  }

  needs(name) {
    return this.#channels.has(String(name)) || !!this.#session.windows?.keeps(name);
  }

  bury(names) {
    for (const name of names) if (!this.needs(name)) this.#withdraw(name).catch(() => {});
  }

  wait(keeps) {
    this.#early = keeps ? [] : null;
  }
}
