/** Messages that wait in the queue for the link, and then on the wire for their replies. */

export class BayeuxError extends Error {
  /** @param {string} text @param {T.Facts} [facts] */
  constructor(text, { channel, reply, cause } = {}) {
    super(channel ? `${channel}: ${text}` : text, { cause });
    const [, code, args, error] = /^(\d+):([^:]*):([^]*)$/.exec(text) ?? [text, "0", "", text];
    this.name = "BayeuxError";
    this.code = Number(code);
    this.args = args ? args.split(",") : [];
    this.error = error ?? "";
    this.channel = channel;
    this.reply = reply;
  }
}

export const broken = (why, facts) => new BayeuxError(`0:${why.replaceAll(":", "")}:transport_failed`, facts);

export const asFailure = (error) => (error instanceof BayeuxError ? error : broken(String(error), { cause: error }));

export const wire = ({ code, args, error }) => `${code}:${args}:${error}`;

const MAX_BATCH = 500;
/** Characters in an array, because CometD's servers take 64 KiB; how long they may take; how many may lack replies. */
const MAX_SIZE = 60_000;
const UPLOAD = 15_000;
const WINDOW = 180_000;

export class Requests {
  #session;
  #lastId = 0;
  #queue = [];
  #sent = new Map();
  #calls = new Map();
  #batches = 0;
  #size = 0;

  /** @param {T.Session} session */
  constructor(session) {
    this.#session = session;
  }

  nextId() {
    return `${this.#session.settings.windowId}${++this.#lastId}`;
  }

  add(message, kept) {
    const { channel, id = this.nextId() } = message;
    const refusal = this.#session.ended ? "0::disconnected" : !kept && this.full;
    if (refusal) return Promise.reject(new BayeuxError(refusal, { channel }));
    this.#session.application.prepare?.([message]);
    queueMicrotask(() => this.flush());
    return new Promise((resolve, reject) => {
      this.#queue.push({ message: { ...message, id }, resolve, reject, kept });
    });
  }

  get full() {
    const { maxQueue } = this.#session.settings;
    return this.#queue.length >= maxQueue && `0:${maxQueue}:queue_full`;
  }

  queue(request) {
    this.#queue.push(request);
  }

  batch(callback) {
    this.#batches++;
    try {
      return callback();
    } finally {
      this.#release();
    }
  }

  hold(loading) {
    this.#batches++;
    return loading.then(() => this.#release());
  }

  #release() {
    if (!--this.#batches) this.flush();
  }

  flush() {
    while (!this.#batches && this.#queue.length && this.#session.link.free) {
      let size = 0;
      const end = this.#queue.findIndex((request, at) => (size += this.#weigh(request)) > MAX_SIZE || at === MAX_BATCH);
      // For a large message a server may end the link, so it leaves alone.
      if (!end) size += WINDOW;
      if (this.#size && (!end || this.#size > WINDOW)) return;
      this.#transmit(this.#queue.splice(0, end < 0 ? MAX_BATCH : end || 1), size);
    }
  }

  #weigh({ message }) {
    try {
      return 80 + (+message.data?.byteLength || JSON.stringify(message).length);
    } catch {
      return 0; // it rejects when it leaves
    }
  }

  exchange(message, hold, wait) {
    return new Promise((resolve, reject) => {
      this.#transmit([{ message: { ...message, id: this.nextId() }, resolve, reject }], 0, hold, wait);
    });
  }

  #transmit(requests, size, hold = 0, wait = this.#session.network?.patience ?? this.#session.settings.maxNetworkDelay) {
    const session = this.#session;
    const { clientId } = session;
    const exchange = { left: 0, size };
    const messages = [];
    const bodies = [];
    for (const request of requests) {
      try {
        const signed = this.#sign(request.message);
        const message = request.forwarded ? signed : session.application.outgoing(signed);
        if (!message) throw new BayeuxError("404::message_deleted", { channel: request.message.channel });
        bodies.push(JSON.stringify(message));
        messages.push(message);
        this.#sent.set(String(message.id), Object.assign(request, { exchange, clientId }));
        exchange.left++;
      } catch (error) {
        request.reject(error);
      }
    }
    if (!messages.length) return;
    const body = `[${bodies}]`;
    this.#size += size;
    this.#expect(exchange, wait + hold + Math.floor(body.length / MAX_SIZE) * UPLOAD);
    session.windows?.sends(messages);
    session.link.send(body, messages);
  }

  #expect(exchange, wait, delay = this.#session.network?.first(exchange, wait) ?? wait) {
    const session = this.#session;
    exchange.timer = session.settings.setTimeout(() => {
      const more = session.network?.grants(exchange, wait);
      if (more) this.#expect(exchange, wait, more);
      else session.fail(`no reply in ${wait} ms`);
    }, delay);
  }

  #sign(message) {
    const { clientId } = this.#session;
    return { ...message, ...(clientId && { clientId }) };
  }

  farewell(ends) {
    const { application } = this.#session;
    const last = this.#queue.filter(({ kept }) => !kept).map(({ message }) => message);
    if (ends) last.push({ channel: "/meta/disconnect", id: this.nextId() });
    return last.flatMap((message) => {
      let text = "";
      application.guard(() => (text = JSON.stringify(application.outgoing(this.#sign(message)) ?? undefined)));
      return text || [];
    });
  }

  awaits(message) {
    return this.#sent.has(String(message.id));
  }

  settle(reply, error) {
    const id = String(reply.id);
    const request = this.#sent.get(id);
    if (!request || request.message.channel !== reply.channel) return false;
    const gone = error?.code === 402 && request.clientId && request.clientId === this.#session.clientId;
    this.#sent.delete(id);
    this.#answered(request);
    if (!error) request.resolve(reply);
    else if (gone && request.kept) this.#queue.unshift(request);
    else request.reject(error);
    if (gone && reply.channel !== "/meta/connect") this.#session.drop(error);
    return true;
  }

  #answered(request) {
    const { exchange } = request;
    if (!exchange || --exchange.left) return;
    this.#session.settings.clearTimeout(exchange.timer);
    this.#size -= exchange.size;
    queueMicrotask(() => this.flush());
  }

  cancel(matches) {
    const request = this.#queue.find(matches);
    this.#queue = this.#queue.filter((other) => other !== request);
    request?.resolve(request.message);
    return request;
  }

  renew(restore, isMoot) {
    const waiting = this.#queue;
    this.#queue = [];
    restore();
    for (const request of waiting) {
      if (isMoot(request)) request.resolve(request.message);
      else this.#queue.push(request);
    }
  }

  lose(error, unsent) {
    const sent = this.#interrupted();
    const again = sent.filter(({ kept, message }) => kept || unsent?.has(message.id));
    this.#queue.unshift(...again);
    for (const request of sent) {
      const { channel } = request.message;
      const facts = { channel, cause: error };
      // Nobody knows what became of it.
      if (/^\/meta\/(handshake|connect)$/.test(channel)) request.reject(error);
      else if (!again.includes(request)) request.reject(error.reply ? broken(String(error.args) || error.error, facts) : new BayeuxError(wire(error), facts));
    }
  }

  end(cause) {
    const unsettled = [...this.#interrupted(), ...this.#queue];
    this.#queue = [];
    for (const { message, reject } of unsettled) reject(new BayeuxError("0::disconnected", { channel: message.channel, cause }));
  }

  #interrupted() {
    const sent = [...this.#sent.values()];
    for (const request of sent) this.#answered(request);
    this.#sent.clear();
    this.#size = 0;
    this.#queue = this.#queue.filter(({ forwarded }) => !forwarded);
    return sent;
  }

  ask(target, data, options) {
    const { setTimeout, clearTimeout, callTimeout } = this.#session.settings;
    const channel = `/service/${target.replace(/^\//, "")}`;
    const id = this.nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.cancel(({ message }) => message.id === id);
        call.settle(new BayeuxError("406::timeout", { channel }));
      }, options?.timeout ?? callTimeout);
      /** @type {T.Call} */
      const call = {
        channel,
        accepted: false,
        settle: (error, answer) => {
          clearTimeout(timer);
          this.#calls.delete(id);
          error ? reject(error) : resolve(answer);
        },
      };
      this.#calls.set(id, call);
      this.add({ channel, id, data }).then(() => (call.accepted = true), call.settle);
    });
  }

  call(message) {
    const call = this.#calls.get(String(message.id));
    return call?.channel === message.channel ? call : undefined;
  }

  forget(cause) {
    for (const { accepted, channel, settle } of [...this.#calls.values()]) {
      if (accepted) settle(new BayeuxError("0::session_lost", { channel, cause }));
    }
  }
}
