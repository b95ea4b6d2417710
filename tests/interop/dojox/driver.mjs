// How dojox.cometd does the steps of the battery. It is one object of the page, and has few callbacks.

export class DojoxDriver {
  #dojo;
  #cometd;
  #url;

  /** dojox.cometd sends requests side by side. */
  overtakes = true;

  constructor({ dojo, dojox }, { url, transport }) {
    this.#dojo = dojo;
    this.#cometd = dojox.cometd;
    this.#url = url;
    this.#cometd._backoffIncrement = 100;
    // What a script element failed to load dojo gives up only after this time.
    this.#cometd.expectedNetworkDelay = 1_000;
    for (const type of this.#cometd.connectionTypes.pairs.map(([type]) => type)) {
      if (!type.startsWith(transport)) {
        this.#cometd.connectionTypes.unregister(type);
      }
    }
  }

  get transport() {
    return this.#cometd.currentTransport._connectionType;
  }

  connect() {
    const connected = this.#meta("connect");
    this.#cometd.init(this.#url);
    return connected;
  }

  async subscribe(channel, listener) {
    const subscription = this.#cometd.subscribe(channel, ({ data }) => listener(data));
    await settled(subscription);
    return { cancel: () => settled(this.#cometd.unsubscribe(subscription)) };
  }

  /** Applications subscribe after each handshake; the client forgets. */
  async keep(channel, listener) {
    this.#dojo.subscribe("/cometd/meta", ({ action, successful }) => {
      if (action === "handshake" && successful) {
        this.#cometd.subscribe(channel, ({ data }) => listener(data));
      }
    });
    await this.subscribe(channel, listener);
  }

  renewed(channel) {
    return new Promise((resolve) => {
      this.#dojo.connect(this.#cometd, "subscribed", (subscribed) => subscribed === channel && resolve());
    });
  }

  unsubscribe(subscription) {
    return subscription.cancel();
  }

  /** What is sent alone has its request's result, the messages of the response. */
  async publish(channel, data) {
    if (this.#cometd.batch) {
      this.#cometd.publish(channel, data);
      return;
    }
    const messages = await settled(this.#cometd._sendMessage({ channel, data }));
    const reply = messages.find((message) => message.channel === channel && !("data" in message));
    if (!reply.successful) {
      throw reply;
    }
  }

  batch(action) {
    this.#cometd.startBatch();
    action();
    this.#cometd.endBatch();
  }

  /** dojox.cometd reads no reply to its goodbye; dojo tells of every response that comes. */
  disconnect() {
    const answered = new Promise((resolve, reject) => {
      this.#dojo.subscribe("/dojo/io/load", (_request, messages) => {
        const reply = messages.find(({ channel }) => channel === "/meta/disconnect");
        if (reply) {
          (reply.successful ? resolve : reject)(reply);
        }
      });
    });
    this.#cometd.disconnect();
    return answered;
  }

  #meta(wanted) {
    return new Promise((resolve) => {
      const topic = this.#dojo.subscribe("/cometd/meta", ({ action, successful }) => {
        if (action === wanted && successful) {
          this.#dojo.unsubscribe(topic);
          resolve();
        }
      });
    });
  }
}

const settled = (deferred) => new Promise((resolve, reject) => deferred.addCallbacks(resolve, reject));
