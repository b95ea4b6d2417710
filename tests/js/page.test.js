import assert from "node:assert/strict";
import { test } from "node:test";

import { Mirant } from "../../js/mirant.js";
import { LONG_POLLING, connected, outcome, setUp, settle } from "./fakes.js";

const pageEvent = (type, persisted) => Object.assign(new Event(type), { persisted });

test("back online, the next attempt is made at once, with all transports and the shortest back-off", async () => {
  const { bus, server, clock, window } = setUp();
  server.websocket = "refused";
  await bus.connect();
  server.http = "down";
  await outcome(bus.publish("/chat", 1));
  await clock.advance(1_000);
  server.http = "ok";
  server.websocket = "ok";
  window.dispatchEvent(new Event("online"));
  await settle();
  assert.deepEqual([bus.state, bus.transport], ["connected", "websocket"]);
});

test("online does not disturb what works", async () => {
  const { server, clock, window } = await connected();
  await server.release([], { advice: { interval: 5_000 } });
  window.dispatchEvent(new Event("online"));
  await clock.advance(4_999);
  assert.equal(server.holds, 0);
});

test("leaving the page says good-bye over the socket, and closes it", async () => {
  const { bus, server, clock, states, window } = await connected();
  const { clientId } = bus;
  window.dispatchEvent(pageEvent("pagehide", false));
  assert.deepEqual(server.messages().at(-1), { channel: "/meta/disconnect", id: "4", clientId });
  assert.equal(server.socket.closedWith, 1000);
  assert.deepEqual([bus.state, states.at(-1).reason], ["disconnected", "pagehide"]);
  await settle();
  assert.deepEqual(clock.delays, []);
});

test("leaving the page says good-bye by a request that outlives it", async () => {
  const { server, window } = await connected({ ...LONG_POLLING, headers: { "X-Token": "t" } });
  window.dispatchEvent(pageEvent("pagehide", true));
  const { url, init } = server.requests.at(-1);
  assert.equal(url, "http://bus.example/cometd/disconnect");
  assert.equal(init.keepalive, true);
  assert.equal(init.signal, undefined);
  assert.equal(init.headers["X-Token"], "t");
  assert.equal(JSON.parse(init.body)[0].channel, "/meta/disconnect");
  assert.ok(server.requests.at(-2).init.signal.aborted, "the held connect is let go");
});

test("a request at the end that fails harms nobody", async () => {
  const { bus, server, window } = await connected(LONG_POLLING);
  server.http = "down";
  window.dispatchEvent(pageEvent("pagehide", false));
  await settle();
  assert.equal(bus.state, "disconnected");
});

test("back from the back/forward cache the bus connects again, with its subscriptions", async () => {
  const { bus, server, window } = await connected();
  await bus.subscribe("/chat", () => {});
  window.dispatchEvent(pageEvent("pagehide", true));
  window.dispatchEvent(pageEvent("pageshow", true));
  await settle();
  assert.equal(bus.state, "connected");
  assert.equal(server.messages("/meta/handshake").length, 2);
  assert.equal(server.messages("/meta/subscribe").length, 2);
});

test("a page that is shown for the first time does not connect", async () => {
  const { bus, window } = await connected();
  window.dispatchEvent(pageEvent("pagehide", false));
  window.dispatchEvent(pageEvent("pageshow", false));
  await settle();
  assert.equal(bus.state, "disconnected");
});

test("nor does one that was disconnected before it was left, or while it was left", async () => {
  for (const disconnects of [(bus) => bus.disconnect(), (bus) => void bus.disconnect()]) {
    const { bus, window } = await connected();
    await disconnects(bus);
    window.dispatchEvent(pageEvent("pagehide", true));
    window.dispatchEvent(pageEvent("pageshow", true));
    await settle();
    assert.equal(bus.state, "disconnected");
  }
});

test("leaving before the handshake is done sends nothing and rejects connect()", async () => {
  const { bus, server, window } = setUp();
  server.websocket = "silent";
  const connecting = outcome(bus.connect());
  window.dispatchEvent(pageEvent("pagehide", false));
  assert.equal((await connecting).error.error, "pagehide");
  assert.equal(server.received.length, 0);
});

test("a relative URL is that of the page", () => {
  globalThis.location = { href: "https://app.example/chat/index.html" };
  try {
    const { server, clock } = setUp();
    const { WebSocket } = server;
    const { setTimeout, clearTimeout } = clock;
    new Mirant("/cometd", { WebSocket, setTimeout, clearTimeout }).connect();
    assert.equal(server.socket.url, "wss://app.example/cometd");
  } finally {
    delete globalThis.location;
  }
});

test("without a page a relative URL is refused", () => {
  assert.throws(() => new Mirant("/cometd"), TypeError);
});
