import assert from "node:assert/strict";
import { test } from "node:test";

import { Mirant } from "../../js/mirant.js";
import { FakeServer, LONG_POLLING, connected, outcome, setUp, settle } from "./fakes.js";

test("a handshake is followed by a connect that is answered at once, then by one that is held", async () => {
  const { bus, server } = await connected();
  assert.deepEqual(server.channels(), [["/meta/handshake"], ["/meta/connect"], ["/meta/connect"]]);
  const [handshake, first, second] = server.messages();
  assert.deepEqual(handshake, {
    channel: "/meta/handshake",
    version: "1.0",
    minimumVersion: "1.0",
    supportedConnectionTypes: ["websocket", "long-polling"],
    advice: { timeout: 60_000, interval: 0 },
    id: "1",
  });
  assert.deepEqual(first, { channel: "/meta/connect", connectionType: "websocket", advice: { timeout: 0 }, id: "2", clientId: bus.clientId });
  assert.deepEqual(second, { channel: "/meta/connect", connectionType: "websocket", id: "3", clientId: bus.clientId });
});

test("the handshake carries the fields an application adds", async () => {
  const { server } = await connected({ handshake: { ext: { token: "t" } } });
  assert.deepEqual(server.messages("/meta/handshake")[0].ext, { token: "t" });
});

test("a function gives each handshake its own fields", async () => {
  let token = 0;
  const { server } = await connected({ handshake: async () => ({ ext: { token: ++token } }) });
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  assert.deepEqual(server.messages("/meta/handshake").map(({ ext }) => ext.token), [1, 2]);
});

test("states, transport and clientId follow the session", async () => {
  const { bus, server, states } = setUp();
  assert.deepEqual([bus.state, bus.transport, bus.clientId], ["disconnected", null, null]);
  const connecting = bus.connect();
  assert.equal(bus.state, "connecting");
  await connecting;
  assert.deepEqual([bus.state, bus.transport], ["connected", "websocket"]);
  assert.ok(server.sessions.has(bus.clientId));
  await bus.disconnect();
  assert.deepEqual([bus.state, bus.transport, bus.clientId], ["disconnected", null, null]);
  assert.deepEqual(states, [
    { state: "connecting", previous: "disconnected", transport: null, reason: "", error: null },
    { state: "connected", previous: "connecting", transport: "websocket", reason: "", error: null },
    { state: "disconnected", previous: "connected", transport: null, reason: "disconnect", error: states[2].error },
  ]);
  assert.equal(states[2].error.error, "disconnect");
});

test("connect() twice is one session", async () => {
  const { bus, server } = setUp();
  await Promise.all([bus.connect(), bus.connect()]);
  await bus.connect();
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("the loop goes on after each reply, and waits for the interval", async () => {
  const { server, clock } = await connected();
  await server.release();
  assert.equal(server.messages("/meta/connect").length, 3);
  await server.release([], { advice: { reconnect: "retry", interval: 2_000, timeout: 30_000 } });
  await clock.advance(1_999);
  assert.equal(server.messages("/meta/connect").length, 3);
  await clock.advance(1);
  assert.equal(server.messages("/meta/connect").length, 4);
});

test("a reply with the id of another connect is not taken for the reply", async () => {
  const { server } = await connected();
  server.socket.receive([{ channel: "/meta/connect", id: "2", successful: true }]);
  await settle();
  assert.equal(server.messages("/meta/connect").length, 2);
});

test("multiple-clients advice is visible, obeyed by its interval, and ends when the next advice is without it", async () => {
  const { bus, server, clock } = await connected(LONG_POLLING);
  await server.release([], { advice: { "multiple-clients": true, interval: 2_000, reconnect: "retry" } });
  assert.equal(bus.advice["multiple-clients"], true);
  assert.equal(server.holds, 0);
  await clock.advance(2_000);
  assert.equal(server.holds, 1);
  await server.release([], { advice: { interval: 0 } });
  assert.equal(bus.advice["multiple-clients"], false);
  assert.equal(server.holds, 1);
});

test("multiple-clients refused for good ends the session", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  await server.release([], { successful: false, advice: { "multiple-clients": true, reconnect: "none" } });
  assert.equal(bus.state, "disconnected");
});

test("advice in a broadcast is the publisher's, and ignored", async () => {
  const { bus, server } = await connected();
  await bus.subscribe("/chat", () => {});
  await server.push({ channel: "/chat", data: 1, advice: { reconnect: "none", interval: 5_000 } });
  assert.equal(bus.state, "connected");
  assert.equal(bus.advice.interval, 0);
});

test("durations in advice that are none count as 0", async () => {
  const { server, clock } = await connected();
  await server.release([], { advice: { interval: "soon", timeout: -1 } });
  assert.equal(server.holds, 1);
  assert.ok(clock.delays[0] <= 10_000);
});

test("a delay longer than timers can take is cut, not fired at once", async () => {
  const { server, clock } = await connected();
  await server.release([], { advice: { timeout: 1e15 } });
  assert.deepEqual(clock.delays, [2 ** 31 - 1]);
});

test("an unknown session is replaced at once by a new handshake, on a new socket that has the cookies of now", async () => {
  const { bus, server, states } = await connected();
  const before = bus.clientId;
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake", interval: 0 } });
  assert.notEqual(bus.clientId, before);
  assert.deepEqual([server.sockets.length, server.sockets[0].closedWith], [2, 1000]);
  assert.deepEqual(states.slice(2).map(({ state }) => state), ["interrupted", "connected"]);
  assert.match(states[2].reason, /402::session_unknown/);
  assert.equal(states[2].error.code, 402);
});

test("402 without advice means a handshake as well", async () => {
  const { server } = await connected();
  await server.release([], { successful: false, error: "402::session_unknown" });
  assert.equal(server.messages("/meta/handshake").length, 2);
});

test("a session that is lost again and again is replaced with back-off", async () => {
  const { server, clock } = await connected();
  server.answer = ({ channel }) => channel === "/meta/connect" && { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } };
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  assert.equal(server.messages("/meta/handshake").length, 2);
  await clock.advance(1_999);
  assert.equal(server.messages("/meta/handshake").length, 2);
  await clock.advance(1);
  assert.equal(server.messages("/meta/handshake").length, 3);
});

test("an unsuccessful connect with advice retry is repeated in the same session after the back-off", async () => {
  const { bus, server, clock } = await connected();
  const { clientId } = bus;
  await server.release([], { successful: false, error: "503::busy", advice: { reconnect: "retry", interval: 0 } });
  assert.equal(bus.state, "interrupted");
  await clock.advance(1_000);
  assert.deepEqual([bus.state, bus.clientId], ["connected", clientId]);
});

test("the interval of the advice is kept when it is longer than the back-off", async () => {
  const { server, clock } = await connected();
  await server.release([], { successful: false, error: "503::busy", advice: { reconnect: "retry", interval: 7_000 } });
  assert.deepEqual(clock.delays, [7_000]);
});

test("a new connect() starts without the advice of the last session", async () => {
  const { bus, server } = await connected();
  await server.release([], { advice: { reconnect: "retry", maxInterval: 5_000 } });
  await bus.disconnect();
  server.websocket = "silent";
  bus.connect().catch(() => {});
  assert.deepEqual(bus.advice, { reconnect: "retry", interval: 0, timeout: 60_000, maxInterval: 0 });
});

test("a connection that breaks during disconnect() is not restored", async () => {
  const { bus, server, clock, states } = await connected();
  server.answer = () => null;
  const leaving = bus.disconnect();
  await settle();
  server.socket.lose();
  await leaving;
  assert.deepEqual(states.slice(2).map(({ state, reason }) => [state, reason]), [["disconnected", "disconnect"]]);
  assert.deepEqual(clock.delays, []);
});

test("an unsuccessful disconnect that nobody waits for changes nothing", async () => {
  const { bus, server } = await connected();
  await server.push({ channel: "/meta/disconnect", id: "0", successful: false, error: "402::session_unknown" });
  assert.equal(bus.state, "connected");
});

test("advice none on a successful connect ends the session", async () => {
  const { bus, server, states } = await connected();
  await server.release([], { advice: { reconnect: "none" } });
  assert.equal(bus.state, "disconnected");
  assert.match(states.at(-1).reason, /disconnected_by_server/);
  assert.equal(server.socket.closedWith, 1000);
});

test("a disconnect nobody asked for ends the session, with the reason the server gives", async () => {
  const { bus, server, states } = await connected();
  await server.push({ channel: "/meta/disconnect", successful: true, error: "408::too_slow" }, { channel: "/meta/connect", id: "3", successful: true, advice: { reconnect: "none" } });
  assert.equal(bus.state, "disconnected");
  assert.match(states.at(-1).reason, /408::too_slow/);
  assert.equal(states.length, 3);
});

test("a refused handshake with advice none rejects connect()", async () => {
  const { bus, server } = setUp();
  server.answer = () => ({ successful: false, error: "403::handshake_denied", advice: { reconnect: "none" } });
  const { error } = await outcome(bus.connect());
  assert.deepEqual([error.name, error.code, error.error, error.channel], ["BayeuxError", 403, "handshake_denied", "/meta/handshake"]);
  assert.equal(bus.state, "disconnected");
});

test("a refused handshake without advice is tried again with back-off, and reported", async () => {
  const { bus, server, clock, errors } = setUp();
  server.answer = () => ({ successful: false, error: "503::starting" });
  const connecting = bus.connect();
  await clock.advance(3_000);
  assert.equal(server.messages("/meta/handshake").length, 3);
  assert.deepEqual(errors.map(({ code }) => code), [503, 503, 503]);
  server.answer = () => undefined;
  await clock.advance(4_000);
  assert.deepEqual(await outcome(connecting), { value: undefined });
});

test("a server that offers no transport of ours rejects connect()", async () => {
  const { bus, server } = setUp();
  server.types = ["callback-polling"];
  const { error } = await outcome(bus.connect());
  assert.equal(error.error, "no_transport");
  assert.equal(error.code, 405);
});

test("disconnect() sends what was published before, then says good-bye", async () => {
  const { bus, server } = await connected();
  const published = bus.publish("/chat", "bye");
  await bus.disconnect();
  assert.deepEqual(server.channels().at(-1), ["/chat", "/meta/disconnect"]);
  assert.equal((await published).successful, true);
  assert.equal(server.sessions.size, 0);
  assert.equal(server.socket.closedWith, 1000);
});

test("disconnect() does not wait longer than maxNetworkDelay for its reply", async () => {
  const { bus, server, clock } = await connected();
  server.answer = () => null;
  const leaving = bus.disconnect();
  await clock.advance(9_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.deepEqual(await outcome(leaving), { value: undefined });
  assert.equal(bus.state, "disconnected");
  assert.deepEqual(clock.delays, []);
});

test("disconnect() while connecting rejects connect() and stops all attempts", async () => {
  const { bus, server, clock } = setUp();
  server.websocket = "silent";
  const connecting = outcome(bus.connect());
  await bus.disconnect();
  assert.equal((await connecting).error.error, "disconnect");
  await clock.advance(60_000);
  assert.deepEqual([bus.state, server.received.length, clock.delays.length], ["disconnected", 0, 0]);
});

test("disconnect() while waiting to try again stops it", async () => {
  const { bus, server, clock } = await connected(LONG_POLLING);
  server.http = "down";
  const lost = bus.publish("/chat", 1);
  await outcome(lost);
  assert.equal(bus.state, "interrupted");
  await bus.disconnect();
  assert.deepEqual(clock.delays, []);
  const { length } = server.requests;
  await clock.advance(60_000);
  assert.equal(server.requests.length, length);
});

test("disconnect() of what is not connected does nothing", async () => {
  const { bus, server } = setUp();
  await bus.disconnect();
  assert.equal(server.received.length, 0);
});

test("connect() during disconnect() opens a new session after it", async () => {
  const { bus, server } = await connected();
  const leaving = bus.disconnect();
  await bus.connect();
  await leaving;
  assert.equal(bus.state, "connected");
  assert.deepEqual(server.messages().slice(3, 5).map(({ channel }) => channel), ["/meta/disconnect", "/meta/handshake"]);
});

test("connect() after the session ended opens a new one", async () => {
  const { bus, server } = await connected();
  await bus.disconnect();
  await bus.connect();
  assert.equal(bus.state, "connected");
  assert.equal(server.messages("/meta/handshake").length, 2);
});

test("what is not http or https, or no known transport, is refused when the bus is made", () => {
  assert.throws(() => new Mirant("ftp://bus.example/"), TypeError);
  assert.throws(() => new Mirant("http://bus.example/", { transports: ["pigeon"] }), /unknown transport: pigeon/);
});

test("a handshake that was refused is repeated on a new socket, which has the cookies of then", async () => {
  const { bus, server, clock } = setUp();
  server.answer = ({ channel }) => (channel === "/meta/handshake" ? { successful: false, error: "401::denied", advice: { reconnect: "handshake" } } : undefined);
  const connecting = bus.connect();
  await settle();
  server.answer = () => undefined;
  await clock.advance(1_000);
  await connecting;
  assert.deepEqual([server.sockets.length, server.sockets[0].closedWith], [2, 1000]);
});

test("in a worker that was made from a blob, an address is relative to the page's origin", async (context) => {
  const { Mirant } = await import("../../js/mirant.js");
  globalThis.location = { href: "blob:http://page.example/0a6c0f64" };
  context.after(() => delete globalThis.location);
  const server = new FakeServer();
  const bus = new Mirant("/cometd", { fetch: server.fetch, WebSocket: server.WebSocket, window: new EventTarget() });
  await bus.connect();
  assert.equal(server.socket.url, "ws://page.example/cometd");
  await bus.disconnect();
});
