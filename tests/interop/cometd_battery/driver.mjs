// How a CometD client of any version, under Node.js and in a page, does the steps of the battery.

export class CometDDriver {
  #client;
  #connected;

  constructor(CometD, { url, transport }) {
    const client = (this.#client = new CometD());
    client.configure({ url, logLevel: "warn", backoffIncrement: 100, maxBackoff: 200 });
    for (const type of client.getTransportTypes().filter((type) => type !== transport)) {
      client.unregisterTransport(type);
    }
    this.#connected = this.#next("/meta/connect", ({ successful }) => successful);
  }

  /** The client itself, for what only CometD has. */
  get client() {
    return this.#client;
  }

  get transport() {
    return this.#client.getTransport().getType?.() ?? this.#client.getTransport().type;
  }

  async connect() {
    this.#client.handshake();
    await this.#connected;
  }

  async subscribe(channel, listener) {
    let subscription;
    await this.#reply((callback) => {
      subscription = this.#client.subscribe(channel, ({ data }) => listener(data), callback);
    });
    return subscription;
  }

  /** Applications subscribe after each handshake; the client forgets. */
  async keep(channel, listener) {
    this.#client.addListener("/meta/handshake", ({ successful }) => {
      if (successful) {
        this.#client.subscribe(channel, ({ data }) => listener(data));
      }
    });
    return this.subscribe(channel, listener);
  }

  renewed(channel) {
    return this.#next("/meta/subscribe", (reply) => reply.successful && reply.subscription === channel);
  }

  unsubscribe(subscription) {
    return this.#reply((callback) => this.#client.unsubscribe(subscription, callback));
  }

  publish(channel, data) {
    return this.#reply((callback) => this.#client.publish(channel, data, callback));
  }

  batch(action) {
    this.#client.batch(action);
  }

  call(target, value) {
    return new Promise((resolve) => {
      this.#client.remoteCall(target, value, ({ successful, data }) => resolve({ successful, data }));
    });
  }

  disconnect() {
    return this.#reply((callback) => this.#client.disconnect(callback));
  }

  #reply(send) {
    return new Promise((resolve, reject) => {
      send((reply) => (reply.successful ? resolve(reply) : reject(reply)));
    });
  }

  #next(channel, wanted) {
    return new Promise((resolve) => {
      const listener = this.#client.addListener(channel, (message) => {
        if (wanted(message)) {
          this.#client.removeListener(listener);
          resolve(message);
        }
      });
    });
  }
}
