import assert from "node:assert/strict";
import { test } from "node:test";

import { Link } from "../../js/mirant/link.js";
import { Clock, FakeServer, LONG_POLLING, connected, outcome, setUp, settle } from "./fakes.js";

test("the socket opens on the bare URL, http made ws", async () => {
  const { server } = await connected();
  assert.equal(server.socket.url, "ws://bus.example/cometd");
});

test("long-polling posts JSON, each kind of message to its own path", async () => {
  const { bus, server } = await connected({ ...LONG_POLLING, headers: { "X-Token": "t" } });
  await bus.publish("/chat", 1);
  await bus.disconnect();
  assert.deepEqual(server.requests.map(({ url }) => url), [
    "http://bus.example/cometd/handshake",
    "http://bus.example/cometd/connect",
    "http://bus.example/cometd/connect",
    "http://bus.example/cometd/",
    "http://bus.example/cometd/disconnect",
  ]);
  for (const { init } of server.requests) {
    assert.equal(init.method, "POST");
    assert.equal(init.credentials, "same-origin");
    assert.deepEqual(init.headers, { "X-Token": "t", "Content-Type": "application/json" });
    assert.ok(Array.isArray(JSON.parse(init.body)));
  }
  assert.equal(server.messages("/meta/connect")[0].connectionType, "long-polling");
});

test("credentials can be sent to another origin", async () => {
  const { server } = await connected({ ...LONG_POLLING, credentials: "include" });
  assert.ok(server.requests.every(({ init }) => init.credentials === "include"));
});

test("a socket that does not open gives way to long-polling", async () => {
  const { bus, server, states } = setUp();
  server.websocket = "refused";
  await bus.connect();
  assert.equal(bus.transport, "long-polling");
  assert.equal(states.at(-1).transport, "long-polling");
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("a socket that neither opens nor closes gives way after maxNetworkDelay", async () => {
  const { bus, server, clock } = setUp();
  server.websocket = "silent";
  const connecting = bus.connect();
  await clock.advance(9_999);
  assert.equal(server.received.length, 0);
  await clock.advance(1);
  assert.deepEqual(await outcome(connecting), { value: undefined });
  assert.equal(bus.transport, "long-polling");
  assert.equal(server.sockets[0].closedWith, 1000);
});

test("a socket that opens but does not answer the handshake gives way after maxNetworkDelay", async () => {
  const { bus, server, clock } = setUp();
  server.answer = () => (server.requests.length ? undefined : null);
  const connecting = bus.connect();
  await clock.advance(10_000);
  await connecting;
  assert.equal(bus.transport, "long-polling");
  assert.deepEqual(server.received.slice(0, 2).map(({ via }) => via), ["websocket", "/cometd/handshake"]);
});

test("without a WebSocket in the environment there is long-polling", async () => {
  const { bus } = await connected({ WebSocket: undefined });
  assert.equal(bus.transport, "long-polling");
});

test("a transport that never worked here is not tried again while another works", async () => {
  const { bus, server, clock } = setUp();
  server.websocket = "refused";
  await bus.connect();
  server.http = "down";
  await outcome(bus.publish("/chat", 1));
  server.http = "ok";
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
  assert.equal(server.sockets.length, 2); // at the path without a slash, and with it
});

test("when nothing worked yet all transports are tried, with back-off between the rounds", async () => {
  const { bus, server, clock, errors } = setUp();
  server.websocket = "refused";
  server.http = "down";
  const connecting = bus.connect();
  await clock.advance(3_000); // at 0, 1 s and 3 s
  assert.equal(server.sockets.length, 6); // at the path without a slash, and with it
  assert.equal(server.requests.length, 3);
  assert.equal(errors.length, 3);
  assert.equal(bus.state, "connecting");
  server.websocket = "ok";
  await clock.advance(4_000);
  await connecting;
  assert.equal(bus.transport, "websocket");
});

test("a socket that breaks is replaced by another, with the same session", async () => {
  const { bus, server, clock, states } = await connected();
  const { clientId } = bus;
  server.socket.lose(1001, "going away");
  await settle();
  assert.deepEqual([bus.state, bus.transport], ["interrupted", null]);
  assert.match(states.at(-1).reason, /websocket closed 1001 going away/);
  await clock.advance(1_000);
  assert.deepEqual([bus.state, bus.transport, bus.clientId], ["connected", "websocket", clientId]);
  assert.equal(server.sockets.length, 2);
  assert.equal(server.messages("/meta/handshake").length, 1);
  assert.deepEqual(server.messages("/meta/connect").at(-2).advice, { timeout: 0 });
});

test("what waited on the server while the socket was broken is delivered", async () => {
  const { bus, server, clock } = await connected();
  const seen = [];
  await bus.subscribe("/chat", ({ data }) => seen.push(data));
  server.socket.lose();
  server.answer = ({ channel, advice }) => channel === "/meta/connect" && advice && [{ channel: "/chat", id: undefined, data: "waited" }, { successful: true }];
  await clock.advance(1_000);
  assert.deepEqual(seen, ["waited"]);
});

test("a socket that breaks and does not open again gives way to long-polling with the same session", async () => {
  const { bus, server, clock } = await connected();
  const { clientId } = bus;
  server.websocket = "refused";
  server.socket.lose();
  await clock.advance(1_000);
  assert.deepEqual([bus.transport, bus.clientId], ["long-polling", clientId]);
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("a socket that has worked is preferred again when long-polling breaks", async () => {
  const { bus, server, clock } = await connected();
  server.websocket = "refused";
  server.socket.lose();
  await clock.advance(1_000);
  server.websocket = "ok";
  server.http = "down";
  await outcome(bus.publish("/chat", 1));
  await clock.advance(1_000);
  assert.equal(bus.transport, "websocket");
});

test("a transport the server does not offer is left, with the session that was made on it", async () => {
  const { bus, server } = setUp();
  server.types = ["long-polling"];
  await bus.connect();
  assert.equal(bus.transport, "long-polling");
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("a transport the server does not offer is not tried when the other breaks", async () => {
  const { bus, server, clock } = setUp();
  server.types = ["websocket"];
  await bus.connect();
  server.websocket = "refused";
  server.socket.lose();
  await clock.advance(1_000);
  assert.deepEqual([bus.state, server.sockets.length, server.requests.length], ["interrupted", 2, 0]);
});

test("a transport that was closed tells its link nothing more", async () => {
  const told = [];
  const fetch = (_url, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { setTimeout, clearTimeout } = new Clock();
  const settings = { transports: ["long-polling"], url: new URL("http://bus.example/"), fetch, maxNetworkDelay: 10_000, setTimeout, clearTimeout };
  const link = new Link({ settings, fail: (why) => told.push(why), requests: { flush: () => told.push("flush") } });
  await link.open("long-polling");
  link.send("[]", [{ channel: "/chat" }]);
  link.close();
  await settle();
  assert.deepEqual(told, []);
});

test("a link that is closed while its transport is loaded does not open", async () => {
  const { setTimeout, clearTimeout } = new Clock();
  const link = new Link({ settings: { transports: ["long-polling"], url: new URL("http://bus.example/"), maxNetworkDelay: 10_000, setTimeout, clearTimeout } });
  const opening = outcome(link.open("long-polling"));
  link.close();
  assert.equal((await opening).error.error, "transport_failed");
  assert.equal(link.isOpen, false);
});

test("long-polling has at most one connect and one other request in flight", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.http = "silent";
  bus.publish("/chat", 1).catch(() => {});
  await settle();
  bus.publish("/chat", 2).catch(() => {});
  await settle();
  bus.publish("/chat", 3).catch(() => {});
  await settle();
  assert.equal(server.requests.length, 4); // handshake, connect, held connect, first publish
});

test("a connect that is answered does not make room for another request", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  for (const data of [1, 2]) {
    bus.publish("/chat", data).catch(() => {});
    await settle();
    await server.release();
  }
  assert.deepEqual(server.messages("/chat").map(({ data }) => data), [1]);
});

test("messages that wait for a long-polling request to end leave together", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  const done = [bus.publish("/chat", 1)];
  queueMicrotask(() => queueMicrotask(() => done.push(bus.publish("/chat", 2), bus.publish("/chat", 3))));
  await settle();
  await Promise.all(done);
  assert.deepEqual(server.messages("/chat").map(({ data }) => data), [1, 2, 3]);
  assert.deepEqual(server.channels().slice(-2), [["/chat"], ["/chat", "/chat"]]);
});

test("a URL with a query is used as it is", async () => {
  const { Mirant } = await import("../../js/mirant.js");
  const { server, clock } = setUp();
  const { fetch } = server;
  const { setTimeout, clearTimeout } = clock;
  const bus = new Mirant("http://bus.example/app?bus=1", { ...LONG_POLLING, fetch, setTimeout, clearTimeout });
  await bus.connect();
  assert.equal(server.requests[0].url, "http://bus.example/app?bus=1");
});

test("a frame that is not JSON breaks the socket", async () => {
  const { bus, server } = await connected();
  server.socket.receive("<html>");
  await settle();
  assert.equal(bus.state, "interrupted");
  assert.equal(server.sockets[0].closedWith, 1000);
});

test("frames that are not text, and items that are no messages, are ignored", async () => {
  const { bus, server } = await connected();
  server.socket.onmessage({ data: new ArrayBuffer(8) });
  server.socket.receive([null, 1, "x", {}]);
  await settle();
  assert.equal(bus.state, "connected");
});

test("a response that is not JSON is a failure of the transport", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.receive = (_via, _messages, reply) => reply("<html>please log in to this network</html>");
  await outcome(bus.publish("/chat", 1));
  assert.equal(bus.state, "interrupted");
});

test("4xx fails the messages of that request alone", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.http = 413;
  const { error } = await outcome(bus.publish("/chat", "long"));
  assert.deepEqual([error.code, error.error, error.channel, error.reply], [0, "transport_failed", "/chat", undefined]);
  assert.match(error.message, /HTTP 413/);
  assert.equal(bus.state, "connected");
});

test("5xx is a failure of the transport", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.http = 502;
  const { error } = await outcome(bus.publish("/chat", 1));
  assert.match(error.message, /HTTP 502/);
  assert.equal(bus.state, "interrupted");
});

test("a response without the reply fails that message alone", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  server.receive = (_via, _messages, reply) => reply([]);
  const { error } = await outcome(bus.publish("/chat", 1));
  assert.equal(error.error, "transport_failed");
  assert.equal(bus.state, "connected");
});

test("a connect without a reply in its response is tried again", async () => {
  const { bus, server, clock } = await connected(LONG_POLLING);
  await server.release([], { id: "unknown" });
  assert.equal(bus.state, "interrupted");
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
});

/** A server that takes sockets at the path of a mount with a slash only, as frameworks do. */
function slashOnly(server) {
  const Plain = server.WebSocket;
  return class extends Plain {
    constructor(url) {
      server.websocket = url.endsWith("/") ? "ok" : "refused";
      super(url);
    }
  };
}

test("a socket that is refused at the path of a mount opens at that path with a slash, and from then on there", async () => {
  const server = new FakeServer();
  const { bus, clock } = await connected({ server, WebSocket: slashOnly(server) });
  assert.equal(bus.transport, "websocket");
  server.socket.lose();
  await clock.advance(1_000);
  assert.equal(bus.transport, "websocket");
  assert.deepEqual(server.sockets.map(({ url }) => url), ["ws://bus.example/cometd", "ws://bus.example/cometd/", "ws://bus.example/cometd/"]);
});

test("long-polling asks at the path with a slash", async () => {
  const { bus, server } = await connected(LONG_POLLING);
  await bus.publish("/chat", 1);
  assert.equal(server.requests.at(-1).url, "http://bus.example/cometd/");
});

test("a socket that has worked is not looked for elsewhere", async () => {
  const { server, clock } = await connected({ transports: ["websocket"] });
  server.websocket = "refused";
  server.socket.lose();
  await clock.advance(1_000);
  assert.deepEqual(server.sockets.map(({ url }) => url), ["ws://bus.example/cometd", "ws://bus.example/cometd"]);
});
