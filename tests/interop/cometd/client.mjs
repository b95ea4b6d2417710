// What the scenarios share: an unmodified CometD client on one transport, and a report in JSON lines.

import { CometD } from "cometd";
import { adapt } from "cometd-nodejs-client";
import { parseArgs } from "node:util";

// Standard output belongs to the report; what the client logs goes to standard error.
console.log = console.info = console.debug = console.error;

// The cookies of this process. What a server gave first stays: a client that sends no cookies is given new
// ones, which would take the place of those that the other client's session is bound to.
const jar = new Map();
adapt({
  cookies: {
    storeCookie(_url, header, done) {
      const [pair] = header.split(";");
      const [name] = pair.split("=");
      jar.set(name, jar.get(name) ?? pair);
      done();
    },
    retrieveCookies(context, _url, done) {
      done(null, context?.cookieless ? [] : [...jar.values()]);
    },
  },
});

export const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    // One transport, or "any" to leave the choice to the client and the server.
    transport: { type: "string", default: "any" },
  },
});

/** Writes one line of the report. */
export function report(event, facts = {}) {
  process.stdout.write(JSON.stringify({ event, ...facts }) + "\n");
}

/**
 * Returns a client that has not shaken hands yet and knows only the transport under test.
 *
 * All clients of a process share one cookie jar, as the tabs of a browser do; with `cookies: false`
 * a client sends none, as if it ran elsewhere.
 */
export function createClient({ cookies = true, ...configuration } = {}) {
  const client = new CometD();
  client.configure({ url: options.url, logLevel: "warn", ...configuration });
  for (const type of client.getTransportTypes()) {
    if (options.transport !== "any" && type !== options.transport) {
      client.unregisterTransport(type);
    }
  }
  if (!cookies) {
    for (const type of client.getTransportTypes()) {
      client.findTransport(type).context = { cookieless: true };
    }
  }
  return client;
}

/** Each operation of the client as a promise of the server's reply. */
export const disconnect = (client) => new Promise((resolve) => client.disconnect(resolve));
export const publish = (client, channel, data) =>
  new Promise((resolve) => client.publish(channel, data, resolve));
export const call = (client, target, data) =>
  new Promise((resolve) => client.remoteCall(target, data, resolve));
export const unsubscribe = (client, subscription) =>
  new Promise((resolve) => client.unsubscribe(subscription, resolve));

/** Subscribes and resolves with the reply and with the subscription that `unsubscribe` wants. */
export function subscribe(client, channel, listener) {
  return new Promise((resolve) => {
    const subscription = client.subscribe(channel, listener, (reply) => resolve({ reply, subscription }));
  });
}

/** Resolves with the next message of a meta channel for which `wanted` holds. */
export function next(client, channel, wanted = () => true) {
  return new Promise((resolve) => {
    const listener = client.addListener(channel, (message) => {
      if (wanted(message)) {
        client.removeListener(listener);
        resolve(message);
      }
    });
  });
}

/**
 * Shakes hands and resolves once the first /meta/connect is answered too.
 *
 * A handshake that fails on one transport is tried again on the next, so only success counts.
 */
export async function connect(client) {
  const connected = next(client, "/meta/connect");
  const shaken = next(client, "/meta/handshake", (reply) => reply.successful);
  client.handshake();
  return { handshake: await shaken, connect: await connected };
}

/**
 * Returns an inbox of what the server delivers on a channel, subscribed or not.
 *
 * It listens on "/**" because a local listener on the channel itself would make the client believe that it is
 * subscribed, and keep subscribes and unsubscribes to itself. Replies to publishes come there too, without data.
 */
export function overhear(client, channel) {
  const inbox = new Inbox();
  client.addListener("/**", (message) => {
    if (message.channel === channel && "data" in message) {
      inbox.put(message);
    }
  });
  return inbox;
}

/** Deliveries in the order of their arrival. */
export class Inbox {
  #messages = [];
  #waiting = null;

  /** Takes a delivery; bound, so that it can be handed over as a listener. */
  put = (message) => {
    this.#messages.push(message);
    if (this.#waiting && this.#messages.length >= this.#waiting.count) {
      this.#waiting.resolve();
      this.#waiting = null;
    }
  };

  /** The data of everything that has arrived. */
  get data() {
    return this.#messages.map((message) => message.data);
  }

  /** Waits until `count` deliveries have arrived in all, and resolves with them. */
  async wait(count) {
    if (this.#messages.length < count) {
      await new Promise((resolve) => (this.#waiting = { count, resolve }));
    }
    return this.#messages;
  }
}
