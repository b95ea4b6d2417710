/**
 * The windows of one origin that share a session, as one of them sees it. Loaded by the option `shared`.
 *
 * One window leads: its session has the connection, and it passes on what the server sends. The others follow: their
 * link is the leading window, and they stand as it does.
 *
 * Each window holds a lock of its own while it lives, and one of them the lock to lead. However a window ends, the
 * browser gives its locks to those who wait for them. Ids of messages begin with that of their window, so replies need
 * no routing. In a new session each window subscribes again for itself; the leader ends subscriptions that no window
 * needs any more.
 */
import { nameOf, standingOf } from "./standing.js";
import { BayeuxError, asFailure, wire } from "./requests.js";

/** The window that led is gone. */
const LEADER_LOST = "0::leader_lost";

/**
 * Joins the windows that share the session. Resolves when this window leads, or is on its own because it has no locks.
 *
 * @param {T.Session} session
 * @param {AbortSignal} signal the session has ended in this window
 */
export async function join(session, signal) {
  if (signal.aborted) return;
  try {
    const windows = new Windows(session, signal);
    session.share(windows);
    await windows.lead();
  } catch {
    if (!signal.aborted) session.share(null);
  }
}

/** @implements {T.Windows} */
class Windows {
  #settings;
  #session;
  #signal;
  #left;
  #channel;
  #leading = false;
  /** Begins with the id of the window that leads, and changes whenever what is on its way may be lost. */
  #epoch = "";
  /** The other windows by their ids, and the channels that each is subscribed to. @type {Map<string, string[]>} */
  #others = new Map();
  /** Ids of messages handed to the leader, which has not said yet that it sends them. @type {Set<string | undefined>} */
  #untaken = new Set();
  /** The link of a window that follows. @type {Omit<T.Transport, "open">} */
  #leader = {
    idle: true,
    close() {},
    send: (body, messages) => {
      for (const { id } of messages) this.#untaken.add(id);
      this.#post({ to: this.#epoch, body });
    },
  };

  /** @param {T.Session} session @param {AbortSignal} signal */
  constructor(session, signal) {
    const { BroadcastChannel } = session.settings.window;
    this.#settings = session.settings;
    this.#session = session;
    this.#signal = signal;
    this.#left = new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.#channel = new BroadcastChannel(nameOf(session));
    this.#channel.onmessage = ({ data }) => signal.aborted || this.#hear(data);
    this.#left.then(() => this.#channel.close());
  }

  /** Resolves when this window leads; rejects when it is left before, or has no locks. */
  async lead() {
    try {
      await this.#hold(this.#settings.windowId);
      this.#post({ hello: true });
      await this.#hold("");
    } catch (error) {
      this.#channel.close();
      throw error;
    }
    if (this.#signal.aborted) return;
    const { requests, link } = this.#session;
    this.#leading = true;
    for (const id of this.#others.keys()) this.#watch(id);
    this.#epoch = requests.nextId();
    this.#session.drop(new BayeuxError(LEADER_LOST));
    link.prefer(link.type);
    this.changed();
  }

  /** No other window needs the session. */
  get alone() {
    return this.#leading && !this.#others.size;
  }

  /** Whether another window sent this message, or the one that it answers. @param {T.Message} message */
  knows({ id }) {
    return this.#others.has(this.#windowOf(String(id)));
  }

  /** @param {string} id */
  #windowOf(id) {
    return id.slice(0, this.#settings.windowId.length);
  }

  /** Whether another window needs the channel. @param {unknown} name */
  keeps(name) {
    return this.#leading && [...this.#others.values()].flat().includes(String(name));
  }

  // --- what happens in this window

  /** @param {T.Message[]} messages */
  receives(messages) {
    if (this.#leading) this.#post({ messages });
  }

  /** @param {T.Message[]} messages */
  sends(messages) {
    if (messages.some(({ subscription }) => subscription)) this.#post({ names: this.#session.application.names });
  }

  /** @type {T.Windows["changed"]} */
  changed(error = null, state) {
    if (!this.#leading) return;
    const standing = standingOf(this.#session);
    this.#post({ status: { ...standing, state: state ?? standing.state, epoch: this.#epoch, error: error && { ...error } } });
  }

  /** The leader has not answered in time. What was handed to it counts as sent: it may send it yet. */
  late() {
    if (this.#leading) return;
    this.#untaken.clear();
    this.#post({ hello: true });
  }

  /** @type {T.Windows["detach"]} */
  detach(failure) {
    const untaken = this.#untaken;
    this.#untaken = new Set();
    if (this.#leading) {
      this.#epoch = this.#session.requests.nextId();
      this.changed(failure ?? new BayeuxError(LEADER_LOST));
    }
    return untaken;
  }

  // --- what other windows say

  /** @param {T.Note} note */
  #hear({ from, hello, names, to, body, took, messages, status }) {
    const known = this.#others.get(from);
    if (!known && this.#leading) this.#watch(from);
    this.#others.set(from, names ?? known ?? []);
    if (hello) this.#post({ names: this.#session.application.names });
    if (this.#leading) {
      if (hello) this.changed();
      if (body && to === this.#epoch && this.#session.link.ready) this.#forward(JSON.parse(body));
      return;
    }
    for (const id of took ?? []) this.#untaken.delete(id);
    if (messages) this.#session.application.receive(messages);
    if (status) this.#follow(status);
  }

  /** @param {T.Message[]} messages */
  #forward(messages) {
    const { requests, application } = this.#session;
    // First, so that what is not taken when this window dies was certainly not sent.
    this.#post({ took: messages.map(({ id }) => id) });
    for (const message of messages) {
      const { channel, id = "", subscription } = message;
      const answer = (/** @type {object} */ fields) => this.#post({ messages: [{ channel, id, ...fields }] });
      if (channel === "/meta/unsubscribe" && application.needs(subscription)) answer({ subscription, successful: true });
      else if (requests.full) answer({ error: requests.full });
      else requests.queue({ message, forwarded: true, resolve() {}, reject: (error) => answer({ error: wire(asFailure(error)) }) });
    }
    requests.flush();
  }

  /** @param {T.Status} status */
  #follow({ error, epoch, ...standing }) {
    const cause = error && new BayeuxError(wire(error), error);
    if (epoch !== this.#epoch) {
      const same = this.#windowOf(epoch) === this.#windowOf(this.#epoch);
      this.#session.drop(same ? cause ?? undefined : new BayeuxError(LEADER_LOST));
      this.#epoch = epoch;
      this.#settings.ack?.resume(standing.ack);
    }
    this.#mirror(standing, cause);
  }

  /** Makes this window stand as the leading one does. @param {T.Standing} standing @param {BayeuxError | null} cause */
  #mirror({ state, ready, type, clientId, advice }, cause) {
    const session = this.#session;
    const renewed = clientId !== session.clientId;
    if (renewed) session.forget(cause);
    session.link.follow(type, ready, this.#leader);
    session.adopt({ clientId, advice });
    if (renewed) session.application.restore();
    session.requests.flush();
    if (state === "disconnected") session.end(cause ?? undefined);
    else if (ready || state !== "connected") session.become(state, cause);
  }

  // --- locks and notes

  /** @param {Omit<T.Note, "from">} note */
  #post(note) {
    this.#channel.postMessage({ from: this.#settings.windowId, ...note });
  }

  /** @param {string} id @param {() => unknown} granted holds the lock until what it returns is settled */
  #lock(id, granted) {
    const { navigator } = this.#settings.window;
    return navigator.locks.request(`${nameOf(this.#session)} ${id}`, { signal: this.#signal }, granted);
  }

  /** Resolves when this window has the lock, and keeps it until it is left. @param {string} id */
  #hold(id) {
    return new Promise((resolve, reject) => {
      this.#lock(id, () => (resolve(undefined), this.#left)).catch(reject);
    });
  }

  /** Ends the subscriptions of a window when it has ended. @param {string} id */
  #watch(id) {
    this.#lock(id, () => {
      const names = this.#others.get(id);
      this.#others.delete(id);
      this.#session.application.bury(names ?? []);
    }).catch(() => {});
  }
}
