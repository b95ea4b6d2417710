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

export class Requests {
  #session;
  #lastId = 0;
  /** @type {T.Request[]} */ #queue = [];
  /** @type {Map<string, T.Request>} */ #sent = new Map();
  /** @type {Map<string, T.Call>} */ #calls = new Map();
  #batches = 0;

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
      if (!--this.#batches) this.flush();
    }
  }

  flush() {
    while (!this.#batches && this.#queue.length && this.#session.link.free) this.#transmit(this.#queue.splice(0, MAX_BATCH));
  }

  exchange(message, wait) {
    return new Promise((resolve, reject) => {
      this.#transmit([{ message: { ...message, id: this.nextId() }, resolve, reject }], wait);
    });
  }

  #transmit(requests, wait = this.#session.settings.maxNetworkDelay) {
    const session = this.#session;
    const { clientId } = session;
    /** @type {T.Exchange} */
    const exchange = { left: 0 };
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
    exchange.timer = session.settings.setTimeout(() => session.fail(`no reply in ${wait} ms`), wait);
    session.windows?.sends(messages);
    session.link.send(`[${bodies}]`, messages);
  }

  #sign(message) {
    const { clientId } = this.#session;
    return { ...message, ...(clientId && { clientId }) };
  }

  farewell() {
    const message = this.#session.application.outgoing(this.#sign({ channel: "/meta/disconnect", id: this.nextId() }));
    return message && JSON.stringify([message]);
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
    this.#release(request);
    if (!error) request.resolve(reply);
    else if (gone && request.kept) this.#queue.unshift(request);
    else request.reject(error);
    if (gone && reply.channel !== "/meta/connect") this.#session.drop(error);
    return true;
  }

  #release(request) {
    const { exchange } = request;
    if (exchange && !--exchange.left) this.#session.settings.clearTimeout(exchange.timer);
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
      // A publisher must know that nobody knows what became of its message.
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
    for (const request of sent) this.#release(request);
    this.#sent.clear();
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
