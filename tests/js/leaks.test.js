/** Nothing stays behind: thousands of rounds of what an application does again and again leave no listeners, timers or memory. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "node:test";

import { Ack, TimeSync } from "../../js/mirant.js";
import { FakeServer, LONG_POLLING, connected, outcome, settle } from "./fakes.js";

/** Of what an application does most often; of the rest a fifth. */
const ROUNDS = 10_000;
const OFTEN = ["subscribe and unsubscribe", "publish"];
/** Bytes that are noise: a listener that stays behind takes 200 in each round. */
const NOISE = 250_000;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/** Bytes that a number of rounds add. What leaks does so each time, and noise does not: the least of three. */
async function growth(rounds, round) {
  let least = Infinity;
  for (let n = 0; n < 3 && least > NOISE; n++) {
    const before = await heap();
    for (let done = 0; done < rounds; done++) await round();
    least = Math.min(least, (await heap()) - before);
  }
  return least;
}

async function heap() {
  for (let n = 0; n < 3; n++) {
    await settle();
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/** A server that forgets what was sent to it. */
class ForgetfulServer extends FakeServer {
  receive(...args) {
    this.received.length = 0;
    this.requests.length = 0;
    if (this.sockets.length > 1) this.sockets.splice(0, this.sockets.length - 1);
    super.receive(...args);
  }
}

/** A signal that counts its listeners. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type, listener, options) => (listeners.add(listener), add(type, listener, options));
  signal.removeEventListener = (type, listener) => (listeners.delete(listener), remove(type, listener));
  return { controller, signal, listeners };
}

const ROUND = {
  "subscribe and unsubscribe, with one signal for all": async ({ bus, signal }) => {
    const { unsubscribe } = await bus.subscribe("/chat", () => {}, { signal });
    await unsubscribe();
  },
  "subscribe beside another listener": async ({ bus, signal }) => {
    const { unsubscribe } = await bus.subscribe("/kept", () => {}, { signal });
    await unsubscribe();
  },
  "a subscription that is refused": async ({ bus, signal }) => {
    await outcome(bus.subscribe("/refused", () => {}, { signal }));
  },
  "a subscription whose own signal is aborted": async ({ bus }) => {
    const controller = new AbortController();
    const subscribed = outcome(bus.subscribe("/chat", () => {}, { signal: controller.signal }));
    controller.abort(new Error("left"));
    await subscribed;
  },
  "publish": async ({ bus }) => bus.publish("/chat", 1),
  "a call that is answered": async ({ bus, server }) => {
    const call = bus.call("echo", 1);
    await settle();
    server.socket.receive([{ channel: "/service/echo", id: server.lastCall, data: 1 }]);
    await call;
  },
  "a call that is refused": async ({ bus }) => void (await outcome(bus.call("refused", 1))),
  "listen": async ({ bus }) => bus.listen("/chat", () => {}).remove(),
  "connects": async ({ server }) => server.release(),
  "a hint that the network changed": async ({ window, server }) => {
    server.letGo();
    window.dispatchEvent(new Event("online"));
    await settle();
  },
  "a time sample": async ({ bus, timesync }) => timesync.sample(bus),
};

async function fixture(options) {
  const server = new ForgetfulServer();
  const timesync = new TimeSync();
  const set = await connected({ server, extensions: [new Ack(), timesync], ...options });
  const { signal, listeners } = counted();
  server.answer = ({ channel, id, subscription }) => {
    if (channel === "/service/echo") server.lastCall = id;
    if (subscription === "/refused" || channel === "/service/refused") return { successful: false, error: "403::denied" };
    return undefined;
  };
  await set.bus.subscribe("/kept", () => {});
  return { ...set, signal, listeners, timesync };
}

for (const [name, round] of Object.entries(ROUND)) {
  for (const options of name.startsWith("a call that is answered") ? [{}] : [{}, LONG_POLLING]) {
    test(`${name}: nothing stays behind (${options.transports ?? "websocket"})`, async () => {
      const all = await fixture(options);
      const { clock, signal, listeners } = all;
      for (let n = 0; n < 500; n++) await round(all); // what is made once is made
      const timers = clock.delays.length;
      const grown = await growth(OFTEN.some((often) => name.startsWith(often)) ? ROUNDS : ROUNDS / 5, () => round(all));
      assert.equal(listeners.size, 0);
      assert.equal(clock.delays.length, timers);
      assert.ok(grown < NOISE, `${grown} bytes`);
      assert.equal(signal.aborted, false);
    });
  }
}

test("a subscription that a new session refuses leaves no listener on its signal", async () => {
  const { bus, server, clock, signal, listeners } = await fixture();
  await bus.subscribe("/later", () => {}, { signal });
  assert.equal(listeners.size, 1);
  server.answer = ({ subscription }) => (subscription === "/later" ? { successful: false, error: "403::denied" } : undefined);
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
  assert.equal(listeners.size, 0);
});

for (const options of [{}, LONG_POLLING]) {
  test(`connect and disconnect: nothing stays behind (${options.transports ?? "websocket"})`, async () => {
    const all = await fixture(options);
    const { bus, clock, server, states } = all;
    await bus.disconnect();
    const round = async () => {
      server.sessions.clear();
      server.letGo();
      await bus.connect();
      await bus.disconnect();
      states.length = 0;
    };
    const grown = await growth(ROUNDS / 5, round);
    assert.deepEqual(clock.delays, []);
    assert.ok(grown < NOISE, `${grown} bytes`);
  });
}
