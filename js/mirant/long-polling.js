/**
 * The transport "long-polling": a request is held for /meta/connect, and one more at a time carries all else.
 *
 * Loaded when it is opened. Where WebSockets work it never is.
 */

/** @implements {T.Transport} */
class LongPollingTransport {
  closed = new AbortController();
  idle = true;

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
    const response = await this.post(channel, body, { signal: this.closed.signal });
    const { status } = response;
    if (status === 200) this.host.receive([JSON.parse(await response.text())].flat());
    // 5xx: the server or the way to it is bad; 4xx, or a missing reply: these messages only.
    this.host.fail(`HTTP ${status} without a reply`, status < 500 ? messages : undefined);
  }

  /** @type {T.Transport["close"]} */
  close(farewell) {
    this.closed.abort();
    if (farewell) this.part(farewell).catch(() => {});
  }

  /** @param {string} farewell @returns {Promise<unknown>} */
  part(farewell) {
    return this.post("/meta/disconnect", farewell, { keepalive: true });
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
