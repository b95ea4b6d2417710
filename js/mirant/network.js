/**
 * What is known of the way to the server: whether it moves, and when it may have become another one.
 *
 * A link that is slow and a link that is dead look alike for a while. Whatever comes shows that the link lives, so a
 * late reply gets more time. A large message in a WebSocket shows nothing until it is there as a whole. So while the
 * socket is silent, the server is asked over HTTP: if it answers, the socket gets more time, but not much. And then
 * the server is sent empty arrays, so that it knows that its client lives; if it has lost the socket, they end it. After
 * a link was given up replies get twice the time, and the message comes through in the end.
 *
 * A connection over a network that is gone shows no sign of it either. So on every hint that the network changed, the
 * client asks something of the server, and gives the link up unless something comes soon.
 *
 * Loaded once a session is connected.
 */

/** How much more time a late reply gets at most while other things come, and while the server answers over HTTP only. */
const MOST_WHILE_MOVING = 30;
const MOST_WHILE_ANSWERED = 3;
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
  signal.addEventListener("abort", () => network.stop());
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
  /** When the server last answered over HTTP while the socket was silent. */
  #answeredAt = -Infinity;
  /** Ends the question that is asked over HTTP now. @type {(() => void) | null} */
  #cancel = null;
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

  get #pulse() {
    return this.#session.settings.maxNetworkDelay / 2;
  }

  /** @type {T.Network["first"]} */
  first(exchange, wait) {
    const { settings: { now }, link } = this.#session;
    exchange.until = now() + wait;
    // Other transports show each piece of an answer.
    const shows = link.type !== "websocket" || wait < this.patience;
    return shows ? wait : wait - this.patience + this.#pulse;
  }

  /** @type {T.Network["grants"]} */
  grants(exchange, wait) {
    const { settings: { now, maxNetworkDelay }, link } = this.#session;
    const { patience } = this;
    const { unsent = 0 } = link.carrier ?? {};
    if (unsent && unsent !== this.#unsent) this.moved();
    this.#unsent = unsent;
    const time = now();
    // A question whether the network has changed waits for less than others, and only for the link itself.
    const isHint = wait < maxNetworkDelay;
    // The clock may have been set back, or this module was not there yet when the message was sent.
    const until = exchange.until = Math.min(exchange.until ?? time, time + patience);
    this.#movedAt = Math.min(this.#movedAt, time);
    this.#answeredAt = Math.min(this.#answeredAt, time);
    const most = until + MOST_WHILE_MOVING * patience;
    let due = Math.min(Math.max(until, this.#movedAt + Math.min(wait, patience)), most);
    if (!isHint && time - this.#answeredAt < maxNetworkDelay) due += MOST_WHILE_ANSWERED * maxNetworkDelay;
    if (due > time) {
      if (!isHint && time - this.#movedAt >= this.#pulse) this.#probe();
      return link.type === "websocket" ? Math.min(due - time, this.#pulse) : due - time;
    }
    this.#indulgence = Math.min(patience / maxNetworkDelay * 2, MAX_INDULGENCE);
    this.#indulgedAt = time;
    return 0;
  }

  /**
   * Asks the server over HTTP whether it lives, and tells it over the silent socket that the client does. Other
   * servers may close a connection for an empty array, so only one that has answered an empty array gets another.
   */
  async #probe() {
    const { link, settings: { fetch, url, headers, credentials, now, maxNetworkDelay, setTimeout, clearTimeout } } = this.#session;
    const { carrier } = link;
    if (link.type !== "websocket" || this.#cancel) return;
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(), maxNetworkDelay);
    this.#cancel = () => {
      clearTimeout(timer);
      request.abort();
    };
    try {
      const init = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, credentials, body: "[]" };
      const response = await fetch(url.href, { ...init, signal: request.signal });
      // Anything else may be from somebody on the way.
      if (response.status === 200 && (await response.text()).trim() === "[]" && carrier && carrier === link.carrier) {
        this.#answeredAt = now();
        if ("unsent" in carrier) link.send("[]", []);
      }
    } catch {
      // no sign of life
    }
    clearTimeout(timer);
    this.#cancel = null;
  }

  /** The session has ended. */
  stop() {
    this.#cancel?.();
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
    const connection = /** @type {any} */ (navigator)?.connection;
    let type = connection?.type;
    connection?.addEventListener("change", () => {
      // Chromium tells of each new estimate of the speed, and slow links have many.
      const isEstimate = connection.rtt !== undefined && connection.type === type;
      type = connection.type;
      this.#ask(isEstimate);
    }, { signal });
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

  /** @param {boolean} [gently] gives the answer as much time as any, and leaves a poll alone */
  async #ask(gently) {
    const { state, link, requests } = this.#session;
    if (state !== "connected" || this.#asking) return;
    this.#asking = true;
    const deadline = this.patience / 2;
    // Ends a subscription that nobody has: every server answers that, and nothing changes.
    const question = { channel: "/meta/unsubscribe", subscription: "/service/mirant/network" };
    if (gently) await requests.exchange(question).catch(() => {});
    else if (!link.carrier?.renew?.(deadline)) await requests.exchange(question, 0, deadline).catch(() => {});
    this.#asking = false;
  }
}
