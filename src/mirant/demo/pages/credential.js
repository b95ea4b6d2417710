/**
 * The token by which a session is that of a user: shown to the bus, and replaced before it runs out.
 *
 * A session begins as nobody's. It becomes a user's with a /meta/connect that has the token in `ext.token`; if the
 * token runs out without a fresh one, the bus ends the session.
 */

/** @typedef {import("./mirant.js").Mirant} Mirant */
/** @typedef {import("./mirant.d.ts").Message} Message */
/** @typedef {{ token: string, lifetime: number }} Grant a token, and for how many milliseconds it holds */

/** An extension of the bus: to be registered with each one that it is used with. */
export class Credential {
  #renewed;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** How many connects of the bus were pushed aside to show a token. */
  #pushed = 0;

  /** @param {(token: string) => void} renewed is told each fresh token */
  constructor(renewed) {
    this.#renewed = renewed;
  }

  /**
   * Signs the session in. Rejects with BayeuxError if the bus does not accept the token.
   *
   * @param {Mirant} bus
   * @param {Grant} grant
   */
  async show(bus, { token, lifetime }) {
    clearTimeout(this.#timer);
    this.#pushed++;
    // One more connect, answered at once: the one that the server holds may have half a minute to go.
    await bus.send({ channel: "/meta/connect", connectionType: bus.transport ?? "", advice: { timeout: 0 }, ext: { token } });
    this.#schedule(bus, lifetime);
  }

  /**
   * Of two connects the server refuses the one that it held. To the bus that would be a broken connection, but all
   * it has to do is to connect again.
   *
   * @param {Message} message
   * @returns {Message}
   */
  incoming(message) {
    if (message.channel !== "/meta/connect" || !message.error?.startsWith("409:") || !this.#pushed) return message;
    this.#pushed--;
    const { error, ...rest } = message;
    return { ...rest, successful: true };
  }

  /**
   * @param {Mirant} bus
   * @param {number} lifetime
   */
  #schedule(bus, lifetime) {
    clearTimeout(this.#timer);
    // At a quarter of its life: if it does not work, there are three more times to try.
    this.#timer = setTimeout(() => this.#renew(bus, lifetime), lifetime / 4);
  }

  /**
   * @param {Mirant} bus
   * @param {number} lifetime of the token before
   */
  async #renew(bus, lifetime) {
    if (bus.state === "disconnected") return; // another bus has taken its place
    try {
      const grant = /** @type {Grant} */ (await bus.call("chat/renew"));
      this.#renewed(grant.token);
      await this.show(bus, grant);
    } catch {
      this.#schedule(bus, lifetime);
    }
  }
}
