/**
 * The transport "callback-polling" (Bayeux 1.0, section 6.3): messages go in the URL of a script element, and the script
 * that comes calls a function with the replies. It is for pages that can do nothing else. Loaded when it is opened.
 */
import { Transport as LongPollingTransport } from "./long-polling.js";

/** Servers and proxies refuse longer URLs. */
const MAX_URL = 2_000;

class CallbackPollingTransport extends LongPollingTransport {
  /** Gives up the poll that is held: the next may take so many milliseconds. @type {(deadline: number) => void} */
  #giveUp = () => {};

  /** @type {LongPollingTransport["carry"]} */
  async carry(channel, _body, messages) {
    if (channel === "/meta/connect") {
      await this.host.receive(await this.#hold(messages));
      return this.host.fail("a script without a reply", messages);
    }
    const parts = this.#address(messages).length > MAX_URL ? messages.map((message) => [message]) : [messages];
    for (const some of parts) {
      const { length } = this.#address(some);
      if (this.closed) return;
      if (length <= MAX_URL) await this.host.receive(await this.#load(some));
      this.host.fail(length > MAX_URL ? `a URL of ${length} characters` : "a script without a reply", some);
    }
  }

  /** Loads a /meta/connect; once more if `renew` gives up the first. @param {T.Message[]} messages @returns {Promise<T.Message[]>} */
  async #hold(messages) {
    const poll = this.#load(messages);
    const replies = await new Promise((resolve, reject) => {
      poll.then(resolve, reject);
      this.#giveUp = resolve;
    });
    if (typeof replies !== "number") return replies;
    poll.then(this.host.receive, () => {}); // a script cannot be broken off, and may bring messages after all
    const { setTimeout, clearTimeout } = this.settings;
    const timer = setTimeout(() => this.host.fail(`no answer in ${replies} ms`), replies);
    // To be answered at once, because only an answer shows that there is a way to the server.
    return this.#load(messages.map((message) => ({ ...message, advice: { timeout: 0 } }))).finally(() => clearTimeout(timer));
  }

  /** @type {LongPollingTransport["renew"]} */
  renew(deadline) {
    this.#giveUp(deadline);
    return true;
  }

  /** @type {LongPollingTransport["part"]} */
  part(farewell) {
    for (const message of farewell) this.#load([JSON.parse(message)]).catch(() => {});
  }

  /** @param {T.Message[]} messages @param {string} name of a callback; without it, one as long as any */
  #address(messages, name = "_mirant999") {
    const url = new URL(this.settings.url);
    url.searchParams.set("jsonp", name);
    url.searchParams.set("message", JSON.stringify(messages));
    return url.href;
  }

  /** @param {T.Message[]} messages @returns {Promise<T.Message[]>} */
  #load(messages) {
    const page = /** @type {any} */ (this.settings.window);
    let number = 0;
    while (`_mirant${number}` in page) number++;
    const name = `_mirant${number}`;
    return new Promise((resolve, reject) => {
      const script = page.document.createElement("script");
      page[name] = resolve;
      script.onload = script.onerror = (/** @type {Event} */ { type }) => {
        delete page[name];
        script.remove();
        // A script that has called back has resolved the promise, and then this changes nothing.
        reject(new Error(`script ${type}`));
      };
      script.src = this.#address(messages, name);
      page.document.head.append(script);
    });
  }
}

export { CallbackPollingTransport as Transport };
