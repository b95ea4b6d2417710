import assert from "node:assert/strict";
import { test } from "node:test";

import { BayeuxError } from "../../js/mirant.js";
import { Requests } from "../../js/mirant/requests.js";
import { LONG_POLLING, connected, outcome, pending, setUp, settle } from "./fakes.js";

test("publish resolves with the server's reply", async () => {
  const { bus } = await connected();
  const reply = await bus.publish("/chat", { text: "hello" });
  assert.deepEqual(reply, { channel: "/chat", id: "4", successful: true });
});

test("a message has data, id and clientId; nothing is null, not missing", async () => {
  const { bus, server } = await connected();
  await Promise.all([bus.publish("/chat", 0), bus.publish("/chat", undefined)]);
  const { clientId } = bus;
  assert.deepEqual(server.messages("/chat"), [
    { channel: "/chat", data: 0, id: "4", clientId },
    { channel: "/chat", data: null, id: "5", clientId },
  ]);
});

test("publish rejects with the error of the server", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel }) => channel === "/chat" && { successful: false, error: "403:denied_by_not_granting:publish_denied" };
  const { error } = await outcome(bus.publish("/chat", 1));
  assert.ok(error instanceof BayeuxError);
  assert.deepEqual([error.code, error.args, error.error, error.channel], [403, ["denied_by_not_granting"], "publish_denied", "/chat"]);
  assert.equal(error.message, "/chat: 403:denied_by_not_granting:publish_denied");
  assert.equal(error.reply.successful, false);
});

test("an error that is not of the form code:args:error keeps its text", () => {
  const error = new BayeuxError("Access denied");
  assert.deepEqual([error.code, error.args, error.error], [0, [], "Access denied"]);
});

for (const transports of [["websocket"], ["long-polling"]]) {
  test(`all that is sent in one turn leaves in one array (${transports})`, async () => {
    const { bus, server } = await connected({ transports });
    await Promise.all([bus.publish("/a", 1), bus.publish("/b", 2), bus.subscribe("/c", () => {})]);
    assert.deepEqual(server.channels().at(-1), ["/a", "/b", "/meta/subscribe"]);
  });
}

test("a batch leaves when its callback returns, and gives back its result", async () => {
  const { bus, server } = await connected();
  const result = bus.batch(() => {
    bus.publish("/a", 1);
    bus.batch(() => bus.publish("/b", 2));
    bus.publish("/c", 3);
    return "done";
  });
  assert.equal(result, "done");
  assert.deepEqual(server.channels().at(-1), ["/a", "/b", "/c"]);
});

test("a batch whose callback throws sends what it had, and does not hold what follows", async () => {
  const { bus, server } = await connected();
  assert.throws(() => bus.batch(() => {
    bus.publish("/a", 1);
    throw new Error("no");
  }), /no/);
  await bus.publish("/b", 2);
  assert.deepEqual(server.channels().slice(-2), [["/a"], ["/b"]]);
});

test("a batch does not wait for the promise of its callback", async () => {
  const { bus, server } = await connected();
  const running = bus.batch(async () => {
    bus.publish("/a", 1);
    await settle();
    bus.publish("/b", 2);
  });
  assert.deepEqual(server.channels().at(-1), ["/a"]);
  await running;
  await settle();
  assert.deepEqual(server.channels().at(-1), ["/b"]);
});

test("what is published before connect() waits for the handshake, which leaves alone", async () => {
  const { bus, server } = setUp();
  const published = [bus.publish("/a", 1), bus.publish("/b", 2)];
  await bus.connect();
  await Promise.all(published);
  assert.deepEqual(server.channels().slice(0, 3), [["/meta/handshake"], ["/a", "/b"], ["/meta/connect"]]);
});

test("what was sent has no reply when the transport breaks: it rejects, and is not sent again", async () => {
  const { bus, server, clock } = await connected();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(bus.publish("/chat", 1));
  await settle();
  server.socket.lose();
  const { error } = await lost;
  assert.deepEqual([error.code, error.error, error.channel], [0, "transport_failed", "/chat"]);
  assert.equal(error.message, "/chat: 0:websocket closed 1006:transport_failed");
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
  assert.equal(server.messages("/chat").length, 1);
});

test("what was not sent yet is kept and sent once the session is back", async () => {
  const { bus, server, clock } = await connected();
  server.socket.lose();
  const kept = [bus.publish("/a", 1), bus.publish("/b", 2)];
  await clock.advance(1_000);
  await Promise.all(kept);
  assert.deepEqual(server.channels().slice(-3), [["/meta/connect"], ["/a", "/b"], ["/meta/connect"]]);
});

test("the queue is bounded, and says so", async () => {
  const { bus } = setUp({ maxQueue: 2 });
  const waiting = [bus.publish("/a", 1), bus.publish("/a", 2)];
  const { error } = await outcome(bus.publish("/a", 3));
  assert.deepEqual([error.code, error.error, error.args], [0, "queue_full", ["2"]]);
  await bus.connect();
  await Promise.all(waiting);
  await bus.publish("/a", 4);
});

test("a subscription is never refused for want of room", async () => {
  const { bus } = setUp({ maxQueue: 1 });
  const waiting = [bus.publish("/a", 1), bus.subscribe("/a", () => {})];
  await bus.connect();
  await Promise.all(waiting);
});

test("a reply counts only on the channel of its request", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const publishing = outcome(bus.publish("/chat", 1));
  await settle();
  await server.push({ channel: "/other", id: "4", successful: true });
  assert.ok(await pending(publishing));
  await server.push({ channel: "/chat", id: "4", successful: true });
  assert.equal((await publishing).value.channel, "/chat");
});

test("by default a thousand messages wait", async () => {
  const { bus, server } = setUp();
  const waiting = Array.from({ length: 1_000 }, (_, n) => bus.publish("/a", n));
  assert.equal((await outcome(bus.publish("/a", 1_000))).error.error, "queue_full");
  await bus.connect();
  await Promise.all(waiting);
  assert.deepEqual(server.messages("/a").map(({ data }) => data), Array.from({ length: 1_000 }, (_, n) => n));
  assert.ok(server.received.every(({ messages }) => messages.length <= 500));
});

test("after the session ended nothing is queued", async () => {
  const { bus } = await connected();
  await bus.disconnect();
  const { error } = await outcome(bus.publish("/a", 1));
  assert.equal(error.error, "disconnected");
});

test("what waits when the session ends is rejected", async () => {
  const { bus, server } = await connected();
  server.socket.lose();
  const waiting = outcome(bus.publish("/a", 1));
  await bus.disconnect();
  assert.equal((await waiting).error.error, "disconnected");
});

test("data that is no JSON harms only its own message", async () => {
  const { bus, server } = await connected();
  const [bad, good] = [bus.publish("/a", 1n), bus.publish("/b", 2)].map(outcome);
  assert.ok((await bad).error instanceof TypeError);
  assert.equal((await good).value.successful, true);
  assert.deepEqual(server.channels().at(-1), ["/b"]);
});

test("no reply within maxNetworkDelay is a failure of the transport", async () => {
  const { bus, server, clock } = await connected({ maxNetworkDelay: 5_000 });
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(bus.publish("/chat", 1));
  await clock.advance(4_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.match((await lost).error.message, /no reply in 5000 ms/);
  assert.equal(bus.state, "interrupted");
  assert.equal(server.sockets[0].closedWith, 1000);
});

test("a connect may take the time the server holds it, and maxNetworkDelay", async () => {
  const { bus, clock } = await connected();
  assert.deepEqual(clock.delays, [40_000]);
  await clock.advance(39_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.equal(bus.state, "interrupted");
});

test("a long-polling request without response is aborted after maxNetworkDelay", async () => {
  const { bus, server, clock } = await connected(LONG_POLLING);
  server.http = "silent";
  const lost = outcome(bus.publish("/chat", 1));
  await clock.advance(10_000);
  assert.equal((await lost).error.error, "transport_failed");
  assert.ok(server.requests.at(-1).init.signal.aborted);
});

test("replies in time leave no timers but that of the held connect", async () => {
  const { bus, clock } = await connected();
  await Promise.all([bus.publish("/a", 1), bus.publish("/b", 2)]);
  assert.deepEqual(clock.delays, [40_000]);
});

test("back-off doubles from first to max, and chance only shortens it", async () => {
  let chance = 0;
  const { server, clock } = await connected({ ...LONG_POLLING, random: () => chance, backoff: { first: 100, max: 1_000, jitter: 0.5 } });
  server.http = "down";
  await server.release();
  const delays = [];
  for (let n = 0; n < 6; n++) {
    delays.push(clock.delays[0]);
    if (n === 4) chance = 1;
    await clock.advance(clock.delays[0]);
  }
  assert.deepEqual(delays, [100, 200, 400, 800, 1_000, 500]);
});

test("back-off starts over after a success", async () => {
  const { bus, server, clock } = await connected();
  for (let n = 0; n < 2; n++) {
    server.socket.lose();
    await settle();
    assert.deepEqual(clock.delays, [1_000]);
    await clock.advance(1_000);
    assert.equal(bus.state, "connected");
  }
});

test("402 on a publish rejects it and opens a new session", async () => {
  const { bus, server } = await connected();
  server.sessions.clear();
  const { error } = await outcome(bus.publish("/chat", 1));
  assert.equal(error.code, 402);
  await settle();
  assert.equal(bus.state, "connected");
  assert.equal(server.messages("/meta/handshake").length, 2);
});

test("with maxInterval in the advice a session is given up once the server must have", async () => {
  const { bus, server, clock } = setUp({ ...LONG_POLLING, backoff: { first: 4_000, max: 4_000 } });
  server.advice = { reconnect: "retry", interval: 0, timeout: 1_000, maxInterval: 9_000 };
  await bus.connect();
  const { clientId } = bus;
  await settle();
  server.http = "down";
  await outcome(bus.publish("/chat", 1));
  await clock.advance(4_000);
  assert.equal(bus.clientId, clientId); // 8 s by the next attempt
  await clock.advance(4_000);
  assert.equal(bus.clientId, null); // 12 s by the next attempt
  server.http = "ok";
  await clock.advance(4_000);
  assert.equal(bus.state, "connected");
  assert.equal(server.messages("/meta/handshake").length, 2);
});

test("send() is open to any message", async () => {
  const { bus, server } = await connected();
  const reply = await bus.send({ channel: "/meta/subscribe", subscription: "/service/x", ext: { a: 1 } });
  assert.equal(reply.subscription, "/service/x");
  assert.deepEqual(server.messages().at(-1).ext, { a: 1 });
});

test("extensions see messages, outgoing in reverse, and may change or replace them", async () => {
  const seen = [];
  const extension = (name) => ({
    outgoing(message) {
      seen.push(`${name} out ${message.channel}`);
      message.ext = { ...message.ext, [name]: true };
    },
    incoming(message) {
      seen.push(`${name} in ${message.channel}`);
      return { ...message, [name]: true };
    },
  });
  const { bus, server } = await connected({ extensions: [extension("a"), extension("b")] });
  seen.length = 0;
  const reply = await bus.publish("/chat", 1);
  assert.deepEqual(seen, ["b out /chat", "a out /chat", "a in /chat", "b in /chat"]);
  assert.deepEqual(server.messages("/chat")[0].ext, { b: true, a: true });
  assert.deepEqual([reply.a, reply.b], [true, true]);
});

test("a message that an extension drops rejects, going and coming", async () => {
  const drops = { outgoing: ({ channel }) => (channel === "/a" ? null : undefined), incoming: ({ channel }) => (channel === "/b" ? null : undefined) };
  const { bus, server, clock } = await connected({ extensions: [drops] });
  const [a, b] = [bus.publish("/a", 1), bus.publish("/b", 1)].map(outcome);
  assert.equal((await a).error.error, "message_deleted");
  assert.equal((await b).error.error, "message_deleted");
  assert.deepEqual(server.channels().at(-1), ["/b"]);
  assert.deepEqual(clock.delays, [40_000]);
});

test("an extension that throws is reported, and the message goes on", async () => {
  const fault = new Error("fault");
  const { bus, errors } = await connected({ extensions: [{ outgoing: ({ channel }) => { if (channel === "/a") throw fault; } }] });
  assert.equal((await bus.publish("/a", 1)).successful, true);
  assert.deepEqual(errors, [fault]);
});

/** Requests of a session that does nothing, over a link that keeps what it is given. */
function alone() {
  const sent = [];
  const dropped = [];
  const settings = { windowId: "", maxNetworkDelay: 1, maxQueue: 10, setTimeout() {}, clearTimeout() {} };
  const link = { free: true, send: (_body, messages) => sent.push(...messages) };
  const session = { settings, link, clientId: "first", application: { outgoing: (message) => message }, drop: (error) => dropped.push(error) };
  return { session, link, sent, dropped, requests: new Requests(session) };
}

test("402 loses the session that the message was sent in, not one that has replaced it", async () => {
  for (const clientId of ["first", "second"]) {
    const { session, requests, dropped } = alone();
    const published = outcome(requests.add({ channel: "/chat" }));
    await settle();
    session.clientId = clientId;
    assert.ok(requests.settle({ channel: "/chat", id: "1" }, new BayeuxError("402::session_unknown")));
    assert.equal((await published).error.code, 402);
    assert.equal(dropped.length, clientId === "first" ? 1 : 0);
  }
});

test("what waits for another window is forgotten with the link: that window sends it again", async () => {
  const { link, requests, sent } = alone();
  link.free = false;
  requests.queue({ message: { channel: "/chat", id: "other1" }, forwarded: true, resolve() {}, reject() {} });
  const own = requests.add({ channel: "/chat" });
  requests.lose(new BayeuxError("0::lost"));
  link.free = true;
  requests.flush();
  assert.deepEqual(sent.map(({ id }) => id), ["1"]);
  assert.ok(await pending(own));
});

/** The sizes of the arrays in which messages of a channel came: how many, for each. */
const arrays = (server, channel = "/chat") => server.received.map(({ messages }) => messages.filter((message) => message.channel === channel).length).filter(Boolean);

for (const transports of [["websocket"], ["long-polling"]]) {
  test(`arrays are cut by size: 200 messages of 20 kB arrive, in order (${transports})`, async () => {
    const { bus, server } = await connected({ transports });
    const done = await Promise.all(Array.from({ length: 200 }, (_, n) => bus.publish("/chat", { n, text: "x".repeat(20_000) })));
    assert.ok(done.every(({ successful }) => successful));
    assert.deepEqual(server.messages("/chat").map(({ data }) => data.n), Array.from({ length: 200 }, (_, n) => n));
    assert.ok(Math.max(...server.received.map(({ messages }) => JSON.stringify(messages).length)) < 65_536);
  });

  test(`a message that is too large takes none with it (${transports})`, async () => {
    const { bus, server, clock } = await connected({ transports });
    const { fetch } = server;
    const tooLarge = (messages) => JSON.stringify(messages).length > 1_048_576;
    server.fetch = fetch;
    const receive = server.receive.bind(server);
    server.receive = (via, messages, reply) => {
      if (!tooLarge(messages)) return receive(via, messages, reply);
      if (via === "websocket") return queueMicrotask(() => server.socket.lose(1009, "too big"));
      return reply([]);
    };
    const texts = ["a", "b", "x".repeat(1_100_000), "c", "d"];
    const published = Promise.all(texts.map((text) => outcome(bus.publish("/chat", text))));
    await clock.advance(2_000);
    const outcomes = await published;
    assert.deepEqual(outcomes.map(({ value }) => value?.successful), [true, true, undefined, true, true]);
    assert.equal(outcomes[2].error.error, "transport_failed");
  });
}

test("tiny messages are still cut by number", async () => {
  const { bus, server } = await connected({ maxQueue: 2_000 });
  await Promise.all(Array.from({ length: 1_100 }, (_, n) => bus.publish("/chat", n)));
  assert.ok(arrays(server).every((count) => count <= 500));
  assert.equal(server.messages("/chat").length, 1_100);
});

test("what has no reply yet is bounded, and the rest waits for it", async () => {
  const { bus, server } = await connected();
  const held = [];
  server.answer = ({ channel, id }) => (channel === "/chat" ? (held.push(id), null) : undefined);
  const text = "x".repeat(50_000);
  const published = Array.from({ length: 10 }, () => bus.publish("/chat", text));
  await settle();
  const before = held.length;
  assert.ok(before < 6);
  server.answer = () => undefined;
  server.socket.receive(held.map((id) => ({ channel: "/chat", id, successful: true })));
  await Promise.all(published);
  assert.equal(server.messages("/chat").length, 10);
});

test("when the link breaks, what waited for room is sent over the next one", async () => {
  const { bus, server, clock } = await connected();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const text = "x".repeat(50_000);
  const outcomes = Promise.all(Array.from({ length: 10 }, () => outcome(bus.publish("/chat", text))));
  await settle();
  const sent = server.messages("/chat").length;
  server.socket.lose();
  server.answer = () => undefined;
  await clock.advance(1_000);
  assert.deepEqual((await outcomes).map(({ value }) => value?.successful ?? false), Array.from({ length: 10 }, (_, n) => n >= sent));
});

test("a large message leaves when the others have replies, and others leave when it has its own", async () => {
  const { bus, server } = await connected();
  const held = [];
  server.answer = ({ channel, id }) => (channel === "/chat" ? (held.push(id), null) : undefined);
  const answer = () => server.socket.receive(held.splice(0).map((id) => ({ channel: "/chat", id, successful: true })));
  const published = ["a", "x".repeat(70_000), "b"].map((text) => bus.publish("/chat", text));
  for (const count of [1, 2, 3]) {
    await settle();
    assert.equal(server.messages("/chat").length, count);
    answer();
  }
  await Promise.all(published);
});

test("a large upload gets more time", async () => {
  const { bus, server, clock } = await connected();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const large = bus.publish("/chat", "x".repeat(300_000));
  large.catch(() => {});
  for (let quarter = 0; quarter < 4; quarter++) {
    await clock.advance(20_000);
    await server.release();
  }
  assert.ok(await pending(large));
  await clock.advance(15_000);
  assert.equal((await outcome(large)).error.error, "transport_failed");
});

test("what cannot be written as JSON rejects, and holds nothing up", async () => {
  const { bus } = await connected();
  const circle = {};
  circle.circle = circle;
  const [{ error }, { value }] = await Promise.all([outcome(bus.publish("/chat", circle)), outcome(bus.publish("/chat", 1))]);
  assert.ok(error instanceof TypeError);
  assert.equal(value.successful, true);
});

test("a byteLength that is no number does not end the bound on what lacks a reply", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const publish = (data) => bus.publish("/chat", data).catch(() => {});
  publish({ byteLength: "12 kB" });
  for (let n = 0; n < 10; n++) publish("x".repeat(50_000));
  await settle();
  const { length } = server.messages("/chat");
  assert.ok(length > 1 && length <= 6, `${length} of 11 left`);
});
