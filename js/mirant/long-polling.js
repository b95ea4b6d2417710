/**
 * The transport "long-polling": a request is held for /meta/connect, and one more at a time carries all else.
 *
 * Loaded when it is opened. Where WebSockets work it never is.
 */

/** For a page that is gone a browser sends so many bytes, in all requests together (Fetch, section 4.6). */
const MAX_KEEPALIVE = 64 * 1024;

/** @param {string} text */
const bytesOf = (text) => new TextEncoder().encode(text).length;

/** @implements {T.Transport} */
class LongPollingTransport {
  idle = true;
  closed = false;
  /** Each request has its own: one signal for all of them would keep something of each. @type {Set<AbortController>} */
  #requests = new Set();
  /** The poll that is held and has no answer yet. @type {AbortController | null} */
  #poll = null;
  /** How long the request that replaces it may take. */
  #deadline = 0;
  /** Called when an answer to a /meta/connect begins. */
  #answered = () => {};
  /** Bytes under way that the browser sends even if the page goes. */
  #lasting = 0;

  /** @param {T.Settings} settings @param {T.Host} host */
  constructor(settings, host) {
    this.settings = settings;
    this.host = host;
  }

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
    const { status, text } = channel === "/meta/connect" ? await this.#hold(channel, body, messages) : await this.#ask(channel, body);
    if (status === 200) await this.host.receive([JSON.parse(text)].flat());
    // 5xx: the server or the way to it is bad; 4xx, or a missing reply: these messages only.
    this.host.fail(`HTTP ${status} without a reply`, status < 500 ? messages : undefined);
  }

  /** Sends a /meta/connect; once more if the first request is given up by `renew`. @param {string} channel @param {string} body @param {T.Message[]} messages */
  async #hold(channel, body, messages) {
    const poll = new AbortController();
    this.#poll = poll;
    try {
      return await this.#ask(channel, body, poll);
    } catch (error) {
      if (!poll.signal.aborted || this.closed) throw error;
    }
    // To be answered at once, because only an answer shows that there is a way to the server.
    const once = JSON.stringify(messages.map((message) => ({ ...message, advice: { timeout: 0 } })));
    const { setTimeout, clearTimeout } = this.settings;
    const timer = setTimeout(() => this.host.fail(`no answer in ${this.#deadline} ms`), this.#deadline);
    this.#answered = () => clearTimeout(timer); // the rest may take longer, if it moves
    return this.#ask(channel, once).finally(this.#answered);
  }

  /** @type {NonNullable<T.Transport["renew"]>} */
  renew(deadline) {
    this.#deadline = deadline;
    this.#poll?.abort();
    return true;
  }

  /** @param {string} channel @param {string} body @param {AbortController} [request] */
  async #ask(channel, body, request = new AbortController()) {
    const size = bytesOf(body);
    const keepalive = !channel.startsWith("/meta/") && this.#lasting + size <= MAX_KEEPALIVE;
    if (keepalive) this.#lasting += size;
    this.#requests.add(request);
    try {
      const response = await this.post(channel, body, { signal: request.signal, ...(keepalive && { keepalive }) });
      if (request === this.#poll) this.#poll = null;
      if (channel === "/meta/connect") this.#answered();
      return { status: response.status, text: await this.#read(response) };
    } finally {
      this.#requests.delete(request);
      if (keepalive) this.#lasting -= size;
    }
  }

  /** Reads a response piece by piece, because each piece shows that the link moves. @param {Response} response */
  async #read(response) {
    const reader = response.body?.getReader();
    if (!reader) return response.text();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
      this.host.progress();
    }
  }

  /**
   * What is under way when a page goes is not broken off: the browser sends it to its end.
   *
   * @type {T.Transport["close"]}
   */
  close(farewell) {
    this.closed = true;
    if (!farewell || !this.#lasting) for (const request of this.#requests) request.abort();
    this.#poll?.abort();
    if (farewell?.length) this.part(farewell);
  }

  /** @param {string[]} farewell messages, of which the last must not be missing */
  part(farewell) {
    const last = bytesOf(String(farewell.at(-1)));
    let room = MAX_KEEPALIVE - this.#lasting - 2 - last;
    const parting = farewell.slice(0, -1).filter((message) => (room -= bytesOf(message) + 1) >= 0);
    const body = `[${[...parting, farewell.at(-1)]}]`;
    this.post(parting.length ? "" : "/meta/disconnect", body, { keepalive: true }).catch(() => {});
  }

  /** @param {string} channel @param {string} body @param {RequestInit} init */
  async post(channel, body, init) {
    const { fetch, headers, credentials, url: bus } = this.settings;
    const url = new URL(bus);
    const [, kind = ""] = /^\/meta\/(handshake|connect|disconnect)$/.exec(channel) ?? [];
    if (!url.search) url.pathname = `${url.pathname.replace(/\/$/, "")}/${kind}`;
    return fetch(url.href, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, credentials, body, ...init });
  }
}

export { LongPollingTransport as Transport };
