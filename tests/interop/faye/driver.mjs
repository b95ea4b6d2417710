// How Faye's client, under Node.js and in a page, does the steps of the battery.

// The order of Faye's own preference: disabling all that come before a transport selects it. Not all others, for
// the handshake goes by long-polling or callback-polling, whatever comes after it.
const PREFERENCE = ["websocket", "eventsource", "long-polling", "cross-origin-long-polling", "callback-polling"];

/** Returns a client that is in a hurry. */
export const clientOf = (Faye, url) => new Faye.Client(url, { timeout: 20, retry: 0.2 });

export class FayeDriver {
  #client;
  #wanted;
  #subscribed = new Map();

  /** Over HTTP Faye posts every two kilobytes beside the two before. */
  overtakes;

  /** Drives a client of Faye's that was just made. */
  constructor(client, transport) {
    this.#wanted = transport;
    this.overtakes = transport !== "websocket";
    this.#client = client;
    for (const type of PREFERENCE.slice(0, PREFERENCE.indexOf(transport))) {
      this.#client.disable(type);
    }
    this.#client.addExtension({
      incoming: (message, callback) => {
        if (message.channel === "/meta/subscribe" && message.successful) {
          this.#subscribed.get(message.subscription)?.();
        }
        callback(message);
      },
    });
  }

  /** The transport in use. Faye has no public name for it. */
  get transport() {
    // It is called otherwise in version 1.0.
    return (this.#client._dispatcher ?? this.#client._transport)?.connectionType;
  }

  /** Faye is connected before it has found out whether the better transport works, and tells nobody of that. */
  async connect() {
    await new Promise((resolve) => this.#client.connect(resolve));
    for (let tries = 0; this.transport !== this.#wanted && tries < 250; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async subscribe(channel, listener) {
    const subscription = this.#client.subscribe(channel, (data) => listener(data));
    await subscription;
    return { cancel: () => subscription.cancel() }; // a subscription is thenable: bare it would be awaited
  }

  /** Faye subscribes again by itself. */
  keep = this.subscribe;

  renewed(channel) {
    return new Promise((resolve) => this.#subscribed.set(channel, resolve));
  }

  /** Faye tells nobody of the reply; what is published afterwards leaves afterwards. */
  unsubscribe(subscription) {
    subscription.cancel();
  }

  async publish(channel, data) {
    await this.#client.publish(channel, data);
  }

  async disconnect() {
    await this.#client.disconnect();
  }
}
