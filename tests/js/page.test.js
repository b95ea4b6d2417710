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

test("what waits when the page goes is sent, before the good-bye (websocket)", async () => {
  const { bus, server, window } = await connected();
  bus.batch(() => {
    for (const data of [1, 2]) bus.publish("/chat", data).catch(() => {});
    window.dispatchEvent(pageEvent("pagehide", false));
  });
  assert.deepEqual(server.messages().slice(-3).map(({ channel }) => channel), ["/chat", "/chat", "/meta/disconnect"]);
  assert.deepEqual(server.messages("/chat").map(({ data, clientId }) => [data, typeof clientId]), [[1, "string"], [2, "string"]]);
});

test("what waits when the page goes is sent with the good-bye, and what is under way goes on (long-polling)", async () => {
  const { bus, server, window } = await connected(LONG_POLLING);
  server.http = "silent";
  for (const data of [1, 2, 3, 4, 5, 6, 7, 8]) {
    bus.publish("/chat", data).catch(() => {});
    if (data === 1) await settle();
  }
  const { init: first } = server.requests.at(-1);
  const { init: poll } = server.requests.at(-2);
  window.dispatchEvent(pageEvent("pagehide", false));
  const { init: last } = server.requests.at(-1);
  assert.deepEqual([first.keepalive, first.signal.aborted, poll.signal.aborted, last.keepalive], [true, false, true, true]);
  const sent = [first, last].flatMap(({ body }) => JSON.parse(body));
  assert.deepEqual(sent.map(({ channel, data }) => data ?? channel), [1, 2, 3, 4, 5, 6, 7, 8, "/meta/disconnect"]);
});

test("a browser sends 64 KiB for a page that is gone: as much as fits is sent, and the good-bye", async () => {
  const { bus, server, window } = await connected(LONG_POLLING);
  server.http = "silent";
  for (let data = 0; data < 8; data++) {
    bus.publish("/chat", `${data}${"é".repeat(10_000)}`).catch(() => {});
    if (!data) await settle();
  }
  window.dispatchEvent(pageEvent("pagehide", false));
  const requests = server.requests.filter(({ init }) => init.keepalive).map(({ init }) => init.body);
  assert.ok(requests.reduce((sum, body) => sum + Buffer.byteLength(body), 0) <= 65_536);
  assert.deepEqual(requests.flatMap((body) => JSON.parse(body)).map(({ channel, data }) => data?.[0] ?? channel), ["0", "1", "2", "/meta/disconnect"]);
});

test("requests that a browser cannot send for a page that is gone are sent as before", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  await bus.publish("/chat", "é".repeat(40_000));
  assert.equal(server.requests.at(-1).init.keepalive, undefined);
});

test("data that cannot be written does not keep the page from leaving", async () => {
  const { bus, window } = await connected();
  const circle = {};
  circle.circle = circle;
  bus.batch(() => {
    outcome(bus.publish("/chat", circle));
    window.dispatchEvent(pageEvent("pagehide", false));
  });
  assert.equal(bus.state, "disconnected");
});

test("a message that cannot be sent takes neither the others nor the good-bye with it when the page is left", async () => {
  const { bus, server, window, errors } = await connected();
  const circle = {};
  circle.itself = circle;
  const sent = bus.batch(() => {
    const all = [1, circle, 2].map((data) => outcome(bus.publish("/chat", data)));
    window.dispatchEvent(pageEvent("pagehide", false));
    return all;
  });
  assert.deepEqual(server.messages().slice(-3).map(({ channel, data }) => data ?? channel), [1, 2, "/meta/disconnect"]);
  assert.match(errors[0].message, /circular/i);
  for (const { error } of await Promise.all(sent)) assert.equal(error.error, "disconnected");
});
