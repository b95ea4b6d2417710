/**
 * What is known of the way to the server: whether it moves, and when it may have become another one.
 *
 * A link that is slow and a link that is dead look alike for a while. Whatever comes shows that the link lives, so a
 * late reply gets more time. A large message in a WebSocket shows nothing until it is there as a whole. So after a link
 * was given up replies get twice the time, and the message comes through in the end.
 *
 * A connection over a network that is gone shows no sign of it either. So on every hint that the network changed, the
 * client asks something of the server, and gives the link up unless something comes soon.
 *
 * Loaded once a session is connected.
 */

/** How often a late reply gets more time, in case that it never comes though other things do. */
const MAX_EXTENSIONS = 30;
/** How much longer a reply may take after links that were given up, and for how long this is remembered. */
const MAX_INDULGENCE = 64;
const MEMORY = 600_000;
/** How often the clock is looked at while the page is seen. */
const TICK = 5_000;

/**
 * Watches until the session ends.
 *
 * @param {T.Session} session
 * @param {AbortSignal} signal the session has ended
 */
export function watch(session, signal) {
  const network = new Network(session);
  if (!signal.aborted) network.listen(signal);
  return network;
}

/** @implements {T.Network} */
class Network {
  #session;
  #movedAt = -Infinity;
  #unsent = 0;
  #indulgence = 1;
  #indulgedAt = 0;
  #asking = false;
  /** Loaded when the page is first hidden. @type {Promise<void> | undefined} */
  #clock;

  /** @param {T.Session} session */
  constructor(session) {
    this.#session = session;
  }

  // --- whether it moves

  moved() {
    this.#movedAt = this.#session.settings.now();
  }

  get patience() {
    const { now, maxNetworkDelay } = this.#session.settings;
    if (now() - this.#indulgedAt > MEMORY) this.#indulgence = 1;
    return maxNetworkDelay * this.#indulgence;
  }

  /** @type {T.Network["grants"]} */
  grants(exchange, wait) {
    const { settings: { now }, link } = this.#session;
    const { unsent = 0 } = link.carrier ?? {};
    if (unsent && unsent !== this.#unsent) this.moved();
    this.#unsent = unsent;
    const left = this.#movedAt + Math.min(wait, this.patience) - now();
    exchange.extensions = (exchange.extensions ?? 0) + 1;
    if (left > 0 && exchange.extensions <= MAX_EXTENSIONS) return left;
    this.#indulgence = Math.min(this.patience / this.#session.settings.maxNetworkDelay * 2, MAX_INDULGENCE);
    this.#indulgedAt = now();
    return 0;
  }

  // --- whether it is another one

  /** @param {AbortSignal} signal */
  listen(signal) {
    const { document, navigator, addEventListener: there } = this.#session.settings.window;
    const changed = () => {
      this.#indulgence = 1; // what was learned of the former network
      this.#ask();
    };
    if (there) this.#session.settings.window.addEventListener("online", changed, { signal });
    /** @type {any} */ (navigator)?.connection?.addEventListener("change", () => this.#ask(), { signal });
    if (document?.addEventListener) this.#watchPage(document, signal);
  }

  /**
   * Asks when the page is seen again after a while, and when the clock jumps, as it does when a computer slept. The timers
   * of a hidden page are late without any sleep, so a page that is hidden first takes another clock.
   *
   * @param {Document} document
   * @param {AbortSignal} signal
   */
  #watchPage(document, signal) {
    const { settings } = this.#session;
    const { now, maxNetworkDelay } = settings;
    let at = now();
    /** @type {unknown} */
    let timer;
    const tick = () => {
      if (now() - at > TICK + maxNetworkDelay) this.#ask();
      at = now();
      timer = settings.setTimeout(tick, TICK);
    };
    const turned = () => {
      settings.clearTimeout(timer);
      if (!document.hidden) return tick();
      this.#clock ??= import("./clock.js").then(({ keepTime }) => keepTime(settings, signal)).catch(() => {});
    };
    document.addEventListener("visibilitychange", turned, { signal });
    signal.addEventListener("abort", () => settings.clearTimeout(timer));
    turned();
  }

  async #ask() {
    const { state, link, requests, settings: { maxNetworkDelay } } = this.#session;
    if (state !== "connected" || this.#asking) return;
    this.#asking = true;
    const deadline = maxNetworkDelay / 2;
    // Ends a subscription that nobody has: every server answers that, and nothing changes.
    const question = { channel: "/meta/unsubscribe", subscription: "/service/mirant/network" };
    if (!link.carrier?.renew?.(deadline)) await requests.exchange(question, 0, deadline).catch(() => {});
    this.#asking = false;
  }
}
