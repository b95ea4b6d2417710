/** What is known of the way to the server: that it moves, that it is slow, that it is another one. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock, FakeServer, LONG_POLLING, connected, outcome, pending, settle } from "./fakes.js";

/** A bus whose module for the network is loaded. */
async function watched(options) {
  const fixture = await connected(options);
  await import("../../js/mirant/network.js");
  await settle();
  return fixture;
}

/** A page of a browser. */
function page() {
  const window = new EventTarget();
  window.document = Object.assign(new EventTarget(), { hidden: false });
  window.navigator = { connection: new EventTarget() };
  window.turn = (hidden) => {
    window.document.hidden = hidden;
    window.document.dispatchEvent(new Event("visibilitychange"));
  };
  return window;
}

const unanswered = ({ channel }) => (channel === "/slow" ? null : undefined);

test("a late reply gets more time while other messages come", async () => {
  const { bus, server, clock } = await watched();
  await bus.subscribe("/chat", () => {});
  server.answer = unanswered;
  const slow = bus.publish("/slow", 1);
  slow.catch(() => {});
  for (let second = 0; second < 30; second += 5) {
    await clock.advance(5_000);
    if (server.holds) await server.release();
    await server.push({ channel: "/chat", data: second });
  }
  assert.equal(bus.state, "connected");
  assert.ok(await pending(slow));
  await clock.advance(10_000);
  assert.equal(bus.state, "interrupted");
});

test("a reply that never comes, though other messages do, ends the link at last", async () => {
  const { bus, server, clock } = await watched();
  server.answer = unanswered;
  const slow = outcome(bus.publish("/slow", 1));
  for (let second = 0; second < 400 && bus.state === "connected"; second += 5) {
    await clock.advance(5_000);
    if (server.holds) await server.release();
  }
  assert.equal((await slow).error.error, "transport_failed");
});

test("an upload that moves is waited for, one that does not is given up", async () => {
  const { bus, server, clock } = await watched();
  server.answer = unanswered;
  const slow = outcome(bus.publish("/slow", 1));
  await settle();
  const { socket } = server;
  for (socket.bufferedAmount = 400_000; socket.bufferedAmount > 100_000; socket.bufferedAmount -= 100_000) {
    await clock.advance(10_000);
    assert.equal(bus.state, "connected");
  }
  await clock.advance(15_000);
  assert.equal(bus.state, "interrupted");
  assert.equal((await slow).error.error, "transport_failed");
});

test("a poll whose answer comes bit by bit is waited for", async () => {
  const server = new FakeServer();
  const clock = new Clock();
  const { fetch } = server;
  let stream;
  server.fetch = (url, init) => (stream === null ? Promise.resolve({ status: 200, body: (stream = new TransformStream()).readable }) : fetch(url, init));
  const { bus } = await watched({ ...LONG_POLLING, server, clock });
  const heard = [];
  await bus.subscribe("/chat", ({ data }) => heard.push(data));
  stream = null;
  await server.release();
  const writer = stream.writable.getWriter();
  const id = server.messages("/meta/connect").length + 3;
  const write = (text) => Promise.race([writer.write(new TextEncoder().encode(text)), settle()]);
  await write('[{"channel":"/chat","data":"');
  for (let second = 0; second < 90; second += 9) {
    await clock.advance(9_000);
    await write("é".repeat(20));
  }
  assert.equal(bus.state, "connected");
  const connect = server.requests.length;
  stream = undefined;
  await write(`"},{"channel":"/meta/connect","id":"${id}","successful":true}]`);
  await Promise.race([writer.close(), settle()]);
  await settle();
  assert.deepEqual(heard, ["é".repeat(200)]);
  assert.ok(server.requests.length >= connect);
});

test("a poll whose answer stops is given up", async () => {
  const server = new FakeServer();
  const { fetch } = server;
  let slow = false;
  server.fetch = (url, init) => {
    if (!slow) return fetch(url, init);
    const body = new ReadableStream({ start: (stream) => init.signal.addEventListener("abort", () => stream.error(init.signal.reason)) });
    return Promise.resolve({ status: 200, body });
  };
  const { bus, clock } = await watched({ ...LONG_POLLING, server });
  slow = true;
  await server.release();
  await clock.advance(40_000);
  assert.equal(bus.state, "interrupted");
});

test("after a link that showed no life replies get twice the time, until a large message is through", async () => {
  const { bus, server, clock } = await watched({ transports: ["websocket"] });
  const patience = [];
  server.answer = ({ channel, advice }) => (channel === "/meta/connect" && advice ? null : undefined);
  server.socket.lose();
  for (const pause of [1_000, 2_000, 4_000]) {
    await clock.advance(pause);
    assert.equal(bus.state, "interrupted");
    const { time } = clock;
    while (pause < 4_000 && !server.socket.closedWith) await clock.advance(1_000);
    patience.push(clock.time - time);
  }
  assert.deepEqual(patience, [10_000, 20_000, 0]);
  await clock.advance(35_000);
  const { id } = server.messages("/meta/connect").at(-1);
  server.answer = () => undefined;
  server.socket.receive([{ channel: "/large", data: "x" }, { channel: "/meta/connect", id, successful: true }]);
  await settle();
  assert.equal(bus.state, "connected");
});

/** A bus over WebSocket whose server also answers empty arrays over HTTP, with `text`. */
async function answering(text, status = 200) {
  const server = new FakeServer();
  const asked = [];
  server.fetch = async (url, init) => {
    asked.push(init);
    return { status, text: async () => text };
  };
  const fixture = await watched({ server, transports: ["websocket"], headers: { "X-Shop": "1" }, window: page() });
  return { ...fixture, asked };
}

test("a message that takes 35 s shows nothing, and is waited for while the server answers over HTTP", async () => {
  const { bus, server, clock, asked } = await answering("[]");
  const heard = [];
  await bus.subscribe("/large", ({ data }) => heard.push(data));
  server.answer = unanswered;
  const behind = outcome(bus.publish("/slow", 1));
  await clock.advance(35_000);
  assert.equal(bus.state, "connected");
  const { id } = server.messages("/slow")[0];
  server.socket.receive([{ channel: "/large", data: "x" }, { channel: "/slow", id, successful: true }]);
  assert.equal((await behind).value.successful, true);
  assert.deepEqual([heard, server.sockets.length], [["x"], 1]);
  assert.deepEqual([asked[0].method, asked[0].body, asked[0].headers["X-Shop"]], ["POST", "[]", "1"]);
});

test("while a socket is silent and a reply is late, the server gets a sign of life every five seconds", async () => {
  const { bus, server, clock } = await answering("[]");
  server.answer = unanswered;
  outcome(bus.publish("/slow", 1));
  const signs = () => server.received.filter(({ messages }) => !messages.length).length;
  for (let sign = 0; sign < 6; sign++) {
    await clock.advance(4_999);
    assert.equal(signs(), sign);
    await clock.advance(1);
    assert.equal(signs(), sign + 1);
  }
});

test("no sign of life is sent while replies are in time", async () => {
  const { bus, server, clock, asked } = await answering("[]");
  for (let minute = 0; minute < 4; minute++) {
    await clock.advance(30_000);
    await server.release();
    await bus.publish("/chat", minute);
  }
  assert.deepEqual([asked.length, server.received.filter(({ messages }) => !messages.length).length], [0, 0]);
});

test("a dead socket on a network that lives is found 30 s later than on one that does not", async () => {
  const { bus, server, clock } = await answering("[]");
  server.answer = () => null;
  outcome(bus.publish("/slow", 1));
  await clock.advance(39_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.equal(bus.state, "interrupted");
});

for (const [text, status] of [["<html>Log in</html>", 200], ["[]", 502], ["", 200], ["[]", 302]]) {
  test(`an answer from somebody on the way (${status} ${text}) is no sign of the server`, async () => {
    const { bus, server, clock } = await answering(text, status);
    server.answer = () => null;
    outcome(bus.publish("/slow", 1));
    await clock.advance(10_000);
    assert.equal(bus.state, "interrupted");
    assert.ok(server.received.every(({ messages }) => messages.length), "it may not know what an empty array means");
  });
}

test("where the network may have changed, only the socket itself can show that it lives", async () => {
  const { bus, server, clock, window } = await answering("[]");
  server.answer = unanswered;
  outcome(bus.publish("/slow", 1));
  await clock.advance(8_000);
  server.answer = () => null;
  window.dispatchEvent(new Event("online"));
  await clock.advance(5_000);
  assert.equal(bus.state, "interrupted");
});

test("a question over HTTP that gets no answer is given up, and the next one is asked", async () => {
  const server = new FakeServer();
  const signals = [];
  server.fetch = (url, { signal }) => new Promise((resolve, reject) => {
    signals.push(signal);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const { bus, clock } = await watched({ server, transports: ["websocket"] });
  server.answer = () => null;
  outcome(bus.publish("/slow", 1));
  await clock.advance(30_000);
  assert.notEqual(bus.state, "connected");
  assert.ok(signals.length > 1);
  assert.ok(signals[0].aborted);
});

test("what was learned of a slow link is forgotten after ten minutes", async () => {
  const { bus, server, clock } = await watched();
  server.answer = unanswered;
  outcome(bus.publish("/slow", 1));
  await clock.advance(10_000);
  await clock.advance(2_000);
  assert.equal(bus.state, "connected");
  for (let minute = 0; minute < 22; minute++) {
    await clock.advance(29_000);
    await server.release();
    await clock.advance(1_000);
  }
  outcome(bus.publish("/slow", 2));
  await clock.advance(9_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.equal(bus.state, "interrupted");
});

const HINTS = {
  "the page is online again": ({ window }) => window.dispatchEvent(new Event("online")),
  "the connection changed": ({ window }) => window.navigator.connection.dispatchEvent(new Event("change")),
  "the page is seen again": async ({ window, clock }) => {
    window.turn(true);
    await clock.advance(16_000);
    window.turn(false);
  },
  "the clock jumped": async ({ clock }) => {
    clock.time += 20_000; // and no timer ran
    await clock.advance(0);
  },
};

for (const [hint, give] of Object.entries(HINTS)) {
  test(`${hint}: a dead socket is replaced after half of maxNetworkDelay`, async () => {
    const fixture = await watched({ window: page(), server: new FakeServer() });
    const { bus, server, clock } = fixture;
    if (hint === "the clock jumped") await clock.advance(1);
    server.answer = () => null;
    await give(fixture);
    await clock.advance(5_000);
    assert.equal(bus.state, "interrupted");
    server.answer = () => undefined;
    server.letGo();
    await clock.advance(1_000);
    assert.deepEqual([bus.state, server.sockets.length], ["connected", 2]);
  });

  test(`${hint}: a dead poll is replaced at once`, async () => {
    const fixture = await watched({ ...LONG_POLLING, window: page(), server: new FakeServer() });
    const { bus, server, clock } = fixture;
    const before = server.messages("/meta/connect").length;
    const polled = server.requests.at(-1).init.signal;
    await give(fixture);
    await settle();
    const [renewed, next] = server.messages("/meta/connect").slice(before);
    assert.ok(polled.aborted);
    assert.deepEqual([renewed.advice, next.advice], [{ timeout: 0 }, undefined]);
    assert.equal(bus.state, "connected");
    await clock.advance(1);
  });
}

test("a socket that answers is left alone, and its held connect too", async () => {
  const { bus, server, clock, window } = await watched({ window: page() });
  window.dispatchEvent(new Event("online"));
  await clock.advance(20_000);
  assert.deepEqual([bus.state, server.sockets.length, server.holds], ["connected", 1, 1]);
});

test("one hint after the other asks once", async () => {
  const { server, window } = await watched({ window: page() });
  server.answer = ({ channel }) => (channel === "/meta/unsubscribe" ? null : undefined);
  for (let n = 0; n < 5; n++) window.navigator.connection.dispatchEvent(new Event("change"));
  await settle();
  assert.equal(server.messages("/meta/unsubscribe").length, 1);
});

test("a poll that is renewed in vain is a failure of the transport", async () => {
  const { bus, server, clock, window } = await watched({ ...LONG_POLLING, window: page() });
  server.http = "silent";
  window.dispatchEvent(new Event("online"));
  await clock.advance(4_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.equal(bus.state, "interrupted");
  server.http = "ok";
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
});

test("the answer to a renewed poll may take longer than half of maxNetworkDelay once it has begun", async () => {
  const server = new FakeServer();
  const { fetch } = server;
  let stream;
  server.fetch = (url, init) => {
    if (JSON.parse(init.body)[0]?.advice?.timeout !== 0 || !stream) return fetch(url, init);
    return Promise.resolve({ status: 200, body: stream.readable });
  };
  const { bus, clock, window } = await watched({ ...LONG_POLLING, server, window: page() });
  const heard = [];
  await bus.subscribe("/chat", ({ data }) => heard.push(data));
  stream = new TransformStream();
  const { id } = server.messages("/meta/connect").at(-1);
  window.dispatchEvent(new Event("online"));
  await settle();
  const writer = stream.writable.getWriter();
  const write = (text) => Promise.race([writer.write(new TextEncoder().encode(text)), settle()]);
  await write('[{"channel":"/chat","data":"x"},');
  await clock.advance(9_000);
  await write(`{"channel":"/meta/connect","id":"${id}","successful":true}]`);
  stream = undefined;
  await Promise.race([writer.close(), settle()]);
  await settle();
  assert.deepEqual([heard, bus.state], [["x"], "connected"]);
});

/** A page in Chromium, which tells of estimates; some browsers tell the type of the network too. */
function estimating(type) {
  const window = page();
  Object.assign(window.navigator.connection, { rtt: 3_000, type });
  return window;
}

for (const type of [undefined, "cellular"]) {
  test(`a new estimate of the speed (${type}) leaves a socket the time that any reply has`, async () => {
    const { bus, server, clock, window } = await watched({ window: estimating(type) });
    server.answer = () => null;
    window.navigator.connection.dispatchEvent(new Event("change"));
    await clock.advance(9_999);
    assert.equal(bus.state, "connected");
    await clock.advance(1);
    assert.equal(bus.state, "interrupted");
  });

  test(`a new estimate of the speed (${type}) leaves a poll alone`, async () => {
    const { server, window } = await watched({ ...LONG_POLLING, window: estimating(type) });
    const before = server.messages("/meta/connect").length;
    window.navigator.connection.dispatchEvent(new Event("change"));
    await settle();
    assert.deepEqual([server.messages("/meta/connect").length, server.holds], [before, 1]);
  });
}

test("a network of another type is another network", async () => {
  const window = estimating("wifi");
  const { bus, server, clock } = await watched({ window });
  server.answer = () => null;
  window.navigator.connection.type = "cellular";
  window.navigator.connection.dispatchEvent(new Event("change"));
  await clock.advance(5_000);
  assert.equal(bus.state, "interrupted");
});

for (const transports of [["websocket"], ["long-polling"]]) {
  test(`a clock that is set back by an hour prolongs nothing by an hour (${transports})`, async () => {
    // Timers count on, whatever the clock shows.
    const clock = new Clock();
    let error = 0;
    const { bus, server } = await watched({ transports, clock, now: () => clock.time + error });
    server.answer = unanswered;
    outcome(bus.publish("/slow", 1));
    await settle();
    error = -3_600_000;
    for (let second = 0; second < 25 && bus.state === "connected"; second++) await clock.advance(1_000);
    assert.equal(bus.state, "interrupted");
  });
}

test("a publish under way outlives a poll that is renewed", async () => {
  const { bus, server, window } = await watched({ ...LONG_POLLING, window: page() });
  let answer;
  const { fetch } = server;
  const bodies = [];
  server.requests.length = 0;
  server.answer = (message) => (message.channel === "/slow" ? null : undefined);
  const receive = server.receive.bind(server);
  server.receive = (via, messages, reply) => {
    if (messages[0].channel === "/slow") answer = () => reply([{ channel: "/slow", id: messages[0].id, successful: true }]);
    bodies.push(messages);
    receive(via, messages, reply);
  };
  const slow = bus.publish("/slow", 1);
  await settle();
  window.dispatchEvent(new Event("online"));
  await settle();
  answer();
  assert.equal((await slow).successful, true);
  assert.equal(typeof fetch, "function");
});

test("a short look at another tab asks nothing, and the timers of a hidden page are no jump of the clock", async () => {
  const { server, clock, window } = await watched({ window: page() });
  window.turn(true);
  await clock.advance(5_000);
  window.turn(false);
  await settle();
  assert.deepEqual(server.messages("/meta/unsubscribe"), []);
});

test("a session that ended leaves no timers and no listeners", async () => {
  const window = page();
  const targets = [window, window.document, window.navigator.connection];
  let listeners = 0;
  for (const target of targets) {
    const add = target.addEventListener.bind(target);
    target.addEventListener = (type, listener, options) => {
      listeners++;
      options.signal.addEventListener("abort", () => listeners--);
      add(type, listener, options);
    };
  }
  const { bus, clock } = await watched({ window });
  assert.ok(listeners >= 4);
  await bus.disconnect();
  assert.equal(listeners, 0);
  assert.deepEqual(clock.delays, []);
});

test("a session that ends takes back its question over HTTP", async () => {
  const { bus, server, clock } = await watched({ server: new FakeServer(), transports: ["websocket"] });
  server.answer = () => null;
  outcome(bus.publish("/slow", 1));
  await clock.advance(5_000);
  const { signal } = server.requests.at(-1).init;
  const leaving = bus.disconnect();
  await clock.advance(10_000);
  await leaving;
  assert.deepEqual([bus.state, signal.aborted, clock.delays], ["disconnected", true, []]);
});
