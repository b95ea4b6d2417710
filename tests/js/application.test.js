import assert from "node:assert/strict";
import { test } from "node:test";

import { LONG_POLLING, connected, outcome, setUp, settle } from "./fakes.js";

const ignore = () => {};
const subscribed = (server) => server.messages("/meta/subscribe").map(({ subscription }) => subscription);

test("a subscription delivers the whole message", async () => {
  const { bus, server } = await connected();
  const seen = [];
  await bus.subscribe("/chat", (message) => seen.push(message));
  await server.push({ channel: "/chat", data: { text: "hello" }, ext: { a: 1 } });
  assert.deepEqual(seen, [{ channel: "/chat", data: { text: "hello" }, ext: { a: 1 } }]);
});

test("null is data: such a message is a delivery", async () => {
  const { bus, server } = await connected();
  const seen = [];
  await bus.subscribe("/chat", ({ data }) => seen.push(data));
  await server.push({ channel: "/chat", data: null });
  assert.deepEqual(seen, [null]);
});

test("listeners of one channel share one subscription on the server; the last to leave ends it", async () => {
  const { bus, server } = await connected();
  const seen = [];
  const [first, second] = await Promise.all([bus.subscribe("/chat", () => seen.push(1)), bus.subscribe("/chat", () => seen.push(2))]);
  const third = await bus.subscribe("/chat", () => seen.push(3));
  assert.deepEqual(subscribed(server), ["/chat"]);
  await server.push({ channel: "/chat", data: 0 });
  assert.deepEqual(seen, [1, 2, 3]);
  await first.unsubscribe();
  await third.unsubscribe();
  assert.equal(server.messages("/meta/unsubscribe").length, 0);
  await Promise.all([second.unsubscribe(), second.unsubscribe()]);
  assert.deepEqual(server.messages("/meta/unsubscribe").map(({ subscription }) => subscription), ["/chat"]);
  await server.push({ channel: "/chat", data: 0 });
  assert.deepEqual(seen, [1, 2, 3]);
});

test("the same function twice is two subscriptions", async () => {
  const { bus, server } = await connected();
  let count = 0;
  const listener = () => count++;
  const subscription = await bus.subscribe("/chat", listener);
  await bus.subscribe("/chat", listener);
  await subscription.unsubscribe();
  await server.push({ channel: "/chat", data: 0 });
  assert.equal(count, 1);
});

test("a channel left and subscribed again is subscribed again on the server", async () => {
  const { bus, server } = await connected();
  const subscription = await bus.subscribe("/chat", ignore);
  await Promise.all([subscription.unsubscribe(), bus.subscribe("/chat", ignore)]);
  assert.deepEqual(server.channels().at(-1), ["/meta/unsubscribe", "/meta/subscribe"]);
});

test("a refused subscription rejects for each listener and is forgotten", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel }) => channel === "/meta/subscribe" && { successful: false, error: "403:denied:subscribe_denied", subscription: "/secret" };
  const results = await Promise.all([bus.subscribe("/secret", ignore), bus.subscribe("/secret", ignore)].map(outcome));
  assert.deepEqual(results.map(({ error }) => error.error), ["subscribe_denied", "subscribe_denied"]);
  server.answer = () => undefined;
  await bus.subscribe("/secret", ignore);
  assert.equal(subscribed(server).length, 2);
});

test("exact listeners come first, then *, then ** from the deepest up", async () => {
  const { bus, server } = await connected();
  const seen = [];
  for (const name of ["/**", "/a/**", "/a/b/**", "/a/b/*", "/a/b/c", "/a/*", "/x/**", "/a/b/c/*", "/a/b/c/**"]) await bus.subscribe(name, () => seen.push(name));
  await server.push({ channel: "/a/b/c", data: 1 });
  assert.deepEqual(seen, ["/a/b/c", "/a/b/*", "/a/b/**", "/a/**", "/**"]);
  seen.length = 0;
  await server.push({ channel: "/top", data: 1 });
  assert.deepEqual(seen, ["/**"]);
});

test("a listener that throws is reported and harms no other", async () => {
  const { bus, server, errors } = await connected();
  const fault = new Error("fault");
  const seen = [];
  await bus.subscribe("/chat", () => {
    throw fault;
  });
  await bus.subscribe("/chat", ({ data }) => seen.push(data));
  await server.push({ channel: "/chat", data: 1 }, { channel: "/chat", data: 2 });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(errors, [fault, fault]);
});

test("an error event that nobody prevents is shown on the console", async (t) => {
  const log = t.mock.method(console, "error", () => {});
  const { Mirant } = await import("../../js/mirant.js");
  const { server, clock } = setUp();
  const { setTimeout, clearTimeout } = clock;
  const bus = new Mirant("http://bus.example/cometd", { WebSocket: server.WebSocket, setTimeout, clearTimeout });
  await bus.connect();
  const fault = new Error("fault");
  await bus.subscribe("/chat", () => {
    throw fault;
  });
  await server.push({ channel: "/chat", data: 1 });
  assert.deepEqual(log.mock.calls.map(({ arguments: [shown] }) => shown), [fault]);
});

test("a listener added or removed during a delivery does not disturb it", async () => {
  const { bus, server } = await connected();
  const seen = [];
  const second = { unsubscribe: ignore };
  await bus.subscribe("/chat", () => {
    seen.push(1);
    second.unsubscribe();
    bus.subscribe("/chat", () => seen.push("late"));
  });
  Object.assign(second, await bus.subscribe("/chat", () => seen.push(2)));
  await server.push({ channel: "/chat", data: 0 });
  assert.deepEqual(seen, [1, 2]);
});

test("listen() needs no subscription on the server", async () => {
  const { bus, server } = await connected();
  const seen = [];
  const listening = bus.listen("/service/news", ({ data }) => seen.push(data));
  await server.push({ channel: "/service/news", data: 1 });
  listening.remove();
  listening.remove();
  await server.push({ channel: "/service/news", data: 2 });
  assert.deepEqual(seen, [1]);
  assert.equal(server.messages("/meta/subscribe").length, 0);
});

test("replies on meta channels reach listen(), and /** does not mean them", async () => {
  const { bus, server } = await connected();
  const seen = [];
  bus.listen("/meta/connect", ({ id }) => seen.push(`connect ${id}`));
  bus.listen("/meta/*", ({ channel }) => seen.push(channel));
  await bus.subscribe("/**", ({ channel }) => seen.push(`all ${channel}`));
  seen.length = 0;
  await server.release();
  assert.deepEqual(seen, ["connect 3", "/meta/connect"]);
});

test("aborting unsubscribes", async () => {
  const { bus, server } = await connected();
  const controller = new AbortController();
  await bus.subscribe("/chat", ignore, { signal: controller.signal });
  controller.abort();
  await settle();
  assert.deepEqual(server.channels().at(-1), ["/meta/unsubscribe"]);
});

test("aborted before or while it subscribes, subscribe() rejects with the reason", async () => {
  const { bus, server } = await connected();
  const reason = new Error("left the page");
  assert.equal((await outcome(bus.subscribe("/chat", ignore, { signal: AbortSignal.abort(reason) }))).error, reason);
  assert.equal(server.messages("/meta/subscribe").length, 0);
  const controller = new AbortController();
  const subscribing = outcome(bus.subscribe("/chat", ignore, { signal: controller.signal }));
  await Promise.resolve(); // the message has left
  controller.abort(reason);
  assert.equal((await subscribing).error, reason);
  await settle();
  assert.deepEqual(server.messages().slice(-2).map(({ channel }) => channel), ["/meta/subscribe", "/meta/unsubscribe"]);
});

test("subscribed and left before it was sent, nothing is sent", async () => {
  const { bus, server } = setUp();
  const controllers = Array.from({ length: 5 }, () => new AbortController());
  const results = controllers.map(({ signal }) => outcome(bus.subscribe("/chat", ignore, { signal })));
  for (const controller of controllers) controller.abort();
  await Promise.all(results);
  await bus.connect();
  assert.equal(server.messages().length, 2);
});

test("a new session gets all live subscriptions in one array, before what else waits", async () => {
  const { bus, server, states } = await connected();
  const seen = [];
  await bus.subscribe("/a", ({ data }) => seen.push(data));
  await bus.subscribe("/b/*", ignore);
  const left = await bus.subscribe("/c", ignore);
  await left.unsubscribe();
  server.sessions.clear();
  const count = server.received.length;
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  assert.deepEqual(server.channels().slice(count, count + 3), [["/meta/handshake"], ["/meta/subscribe", "/meta/subscribe"], ["/meta/connect"]]);
  assert.deepEqual(subscribed(server).slice(3), ["/a", "/b/*"]);
  assert.equal(states.at(-1).state, "connected");
  await server.push({ channel: "/a", data: 1 });
  assert.deepEqual(seen, [1]);
});

test("subscribed before connect(), it is subscribed once", async () => {
  const { bus, server } = setUp();
  const subscribing = bus.subscribe("/a", ignore);
  await bus.connect();
  await subscribing;
  assert.deepEqual(subscribed(server), ["/a"]);
});

test("left while its subscription was in flight on a transport that broke, it is unsubscribed", async () => {
  const { bus, server, clock } = await connected();
  const controller = new AbortController();
  server.answer = ({ channel }) => (channel === "/meta/subscribe" ? null : undefined);
  const subscribing = outcome(bus.subscribe("/a", ignore, { signal: controller.signal }));
  await settle();
  server.answer = () => undefined;
  server.socket.lose();
  controller.abort();
  await subscribing;
  await clock.advance(1_000);
  assert.equal(server.messages("/meta/unsubscribe").length, 1);
});

test("the same session keeps its subscriptions", async () => {
  const { bus, server, clock } = await connected();
  await bus.subscribe("/a", ignore);
  server.socket.lose();
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
  assert.deepEqual(subscribed(server), ["/a"]);
});

test("a subscription refused in the new session is reported and forgotten", async () => {
  const { bus, server, errors } = await connected();
  await bus.subscribe("/a", ignore);
  server.sessions.clear();
  server.answer = ({ channel }) => channel === "/meta/subscribe" && { successful: false, error: "403:denied:subscribe_denied" };
  await server.release([], { successful: false, error: "402::session_unknown" });
  assert.deepEqual(errors.map(({ error }) => error), ["subscribe_denied"]);
  server.answer = () => undefined;
  await bus.subscribe("/a", ignore);
  assert.equal(subscribed(server).length, 3);
});

test("a subscription in flight when the transport breaks is sent again", async () => {
  const { bus, server, clock } = await connected();
  server.answer = ({ channel }) => (channel === "/meta/subscribe" ? null : undefined);
  const subscribing = outcome(bus.subscribe("/a", ignore));
  await settle();
  server.answer = () => undefined;
  server.socket.lose();
  await clock.advance(1_000);
  assert.equal((await subscribing).value.channel, "/a");
  assert.deepEqual(subscribed(server), ["/a", "/a"]);
});

test("a subscription that learns that the session is gone is made in the new one", async () => {
  for (const options of [{}, LONG_POLLING]) {
    const { bus, server } = await connected(options);
    server.sessions.clear();
    const { value } = await outcome(bus.subscribe("/a", ignore));
    assert.equal(value.channel, "/a");
    assert.equal(server.messages("/meta/handshake").length, 2);
    assert.equal(bus.state, "connected");
  }
});

test("left while the session was lost, a channel is not subscribed in the new one", async () => {
  const { bus, server, clock } = await connected();
  const a = await bus.subscribe("/a", ignore);
  server.socket.lose();
  server.sessions.clear();
  const leaving = outcome(a.unsubscribe());
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
  assert.deepEqual(await leaving, { value: undefined });
  assert.equal(server.messages("/meta/unsubscribe").length, 0);
  assert.deepEqual(subscribed(server), ["/a"]);
});

test("subscriptions outlive disconnect(), and connect() restores them", async () => {
  const { bus, server, errors } = await connected();
  await bus.subscribe("/a", ignore);
  const b = await bus.subscribe("/b", ignore);
  await bus.disconnect();
  await b.unsubscribe();
  await bus.connect();
  assert.deepEqual(subscribed(server).slice(2), ["/a"]);
  assert.deepEqual(errors, []);
});

test("a disconnect while they are restored does not lose them", async () => {
  const { bus, server, errors } = await connected();
  await bus.subscribe("/a", ignore);
  await bus.disconnect();
  server.answer = ({ channel }) => (channel === "/meta/subscribe" || channel === "/meta/connect" ? null : undefined);
  const connecting = outcome(bus.connect());
  await settle();
  server.socket.receive([{ channel: "/meta/disconnect", successful: true }]);
  await connecting;
  server.answer = () => undefined;
  await bus.connect();
  assert.deepEqual(subscribed(server), ["/a", "/a", "/a"]);
  assert.deepEqual(errors, []);
});
