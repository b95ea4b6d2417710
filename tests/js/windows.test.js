import assert from "node:assert/strict";
import { test } from "node:test";

import { AckServer, Clock, FakeBrowser, FakeServer, LONG_POLLING, outcome, pending, setUp, settle } from "./fakes.js";

let lastWindow = 0;

/** A browser with windows on one server; what each subscription hears is in `heard`. */
class Fixture {
  browser = new FakeBrowser();
  clock = new Clock();
  windows = [];

  constructor(server = new AckServer()) {
    this.server = server;
  }

  /** A window; its bus is not connected yet. */
  add(options = {}) {
    const { server, clock } = this;
    const window = this.browser.window();
    // A window that is dead neither sends nor receives.
    const WebSocket = class extends server.WebSocket {
      send(body) {
        if (!window.isDead()) super.send(body);
      }

      receive(messages) {
        if (!window.isDead()) super.receive(messages);
      }
    };
    const number = ++lastWindow;
    const fixture = setUp({ server, clock, window, WebSocket, shared: true, random: () => number / 36 ** 3, ...options });
    const heard = [];
    const it = { ...fixture, heard, listen: (channel) => fixture.bus.subscribe(channel, ({ data }) => heard.push(data)) };
    this.windows.push(it);
    return it;
  }

  async open(options) {
    const it = this.add(options);
    await it.bus.connect();
    await settle();
    return it;
  }

  subscriptions() {
    return this.server.messages().filter(({ channel }) => /subscribe$/.test(channel)).map(({ channel, subscription }) => `${channel.slice(6)} ${subscription}`);
  }
}

/** Three windows, the first of which leads. */
async function three(server, options) {
  const fixture = new Fixture(server);
  for (let n = 0; n < 3; n++) await fixture.open(options);
  return fixture;
}

const chat = (data) => ({ channel: "/chat", data });

test("windows share one session, one connection, and all see its state", async () => {
  const { server, windows } = await three();
  assert.equal(server.messages("/meta/handshake").length, 1);
  assert.equal(server.sockets.length, 1);
  for (const { bus, states } of windows) {
    assert.deepEqual([bus.state, bus.transport, bus.clientId], ["connected", "websocket", [...server.sessions][0]]);
    assert.deepEqual(states.map(({ state }) => state), ["connecting", "connected"]);
    assert.equal(bus.advice.timeout, 30_000);
  }
});

test("windows that connect at the same time share a session too", async () => {
  const fixture = new Fixture();
  const all = [fixture.add(), fixture.add(), fixture.add()];
  await Promise.all(all.map(({ bus }) => bus.connect()));
  assert.equal(fixture.server.messages("/meta/handshake").length, 1);
});

test("sessions with different names are apart", async () => {
  const fixture = new Fixture(new FakeServer());
  await fixture.open({ shared: "ann" });
  await fixture.open({ shared: "bob" });
  assert.equal(fixture.server.messages("/meta/handshake").length, 2);
});

test("a window hears what it subscribed to, once", async () => {
  const { server, windows: [a, b, c] } = await three();
  await Promise.all([a.listen("/chat"), b.listen("/chat"), b.listen("/*"), c.listen("/other")]);
  await server.deliver(chat(1));
  assert.deepEqual([a.heard, b.heard, c.heard], [[1], [1, 1], []]);
});

test("what is sent in one turn leaves the leader in one array, as it left the window", async () => {
  const { server, windows: [, b] } = await three();
  await Promise.all([b.bus.publish("/a", 1), b.bus.publish("/b", 2)]);
  assert.deepEqual(server.channels().at(-1), ["/a", "/b"]);
});

test("each window has its own replies, errors and answers", async () => {
  const { server, windows: [a, b, c] } = await three();
  const overheard = [];
  for (const { bus } of [a, c]) bus.listen("/service/echo", ({ data }) => overheard.push(data));
  server.answer = ({ channel, data }) => {
    if (channel === "/secret") return { successful: false, error: "403:no:publish_denied" };
    return channel === "/service/echo" && [{ data, successful: true }, { successful: true }];
  };
  assert.equal((await b.bus.publish("/chat", 1)).channel, "/chat");
  const { error } = await outcome(b.bus.publish("/secret", 1));
  assert.deepEqual([error.code, error.args, error.channel, error.reply.successful], [403, ["no"], "/secret", false]);
  assert.deepEqual(await b.bus.call("echo", { a: 1 }), { a: 1 });
  assert.deepEqual(overheard, []);
});

test("what windows publish before they connect keeps its replies apart", async () => {
  const fixture = new Fixture();
  const all = [fixture.add(), fixture.add()];
  const published = all.map(({ bus }, n) => bus.publish(`/${n}`, n));
  await Promise.all(all.map(({ bus }) => bus.connect()));
  assert.deepEqual((await Promise.all(published)).map(({ channel }) => channel), ["/0", "/1"]);
});

test("messages on service channels reach all that listen", async () => {
  const { server, windows: [a, b] } = await three();
  const seen = [];
  for (const { bus } of [a, b]) bus.listen("/service/news", ({ data }) => seen.push(data));
  await server.deliver({ channel: "/service/news", data: 1 });
  assert.deepEqual(seen, [1, 1]);
});

for (const leaving of [[0, 1, 2], [2, 1, 0]]) {
  test(`a subscription ends on the server with the last window that has it (${leaving})`, async () => {
    const fixture = await three();
    const held = await Promise.all(fixture.windows.map(({ listen }) => listen("/chat")));
    for (const n of leaving) {
      assert.ok(!fixture.subscriptions().includes("unsubscribe /chat"));
      await held[n].unsubscribe();
    }
    assert.equal(fixture.subscriptions().at(-1), "unsubscribe /chat");
  });
}

test("the subscriptions of a window that dies end, unless another has them", async () => {
  const fixture = await three();
  const [a, b, c] = fixture.windows;
  await Promise.all([a.listen("/a"), b.listen("/a"), b.listen("/b"), c.listen("/c"), b.listen("/c")]);
  b.window.end();
  await settle();
  assert.deepEqual(fixture.subscriptions().filter((it) => it.startsWith("un")), ["unsubscribe /b"]);
});

test("so do those of a leader that dies", async () => {
  const fixture = await three();
  const [a, b] = fixture.windows;
  await Promise.all([a.listen("/a"), a.listen("/b"), b.listen("/b")]);
  a.window.end();
  await settle();
  assert.deepEqual(fixture.subscriptions().filter((it) => it.startsWith("un")), ["unsubscribe /a"]);
});

test("a window that leaves ends nothing for the others; the last one ends the session", async () => {
  const { server, windows: [a, b, c] } = await three();
  const { clientId } = b.bus;
  await a.bus.disconnect();
  assert.equal(a.bus.state, "disconnected");
  await settle();
  assert.deepEqual([b.bus.state, c.bus.state, c.bus.clientId], ["connected", "connected", clientId]);
  await c.bus.disconnect();
  await settle();
  assert.deepEqual(server.messages("/meta/disconnect"), []);
  await b.bus.disconnect();
  assert.deepEqual(server.messages("/meta/disconnect").length, 1);
  assert.equal(server.sessions.size, 0);
});

test("disconnect() sends what was published before, in windows that follow too", async () => {
  const { server, windows: [, b] } = await three();
  const published = b.bus.publish("/chat", "bye");
  await b.bus.disconnect();
  assert.equal((await published).successful, true);
  assert.equal(server.messages("/chat").length, 1);
});

test("a window that left can come back", async () => {
  const { server, windows: [a, b] } = await three();
  for (const { bus, listen, heard } of [a, b]) {
    await listen("/chat");
    await bus.disconnect();
    await bus.connect();
    await settle();
    assert.equal(bus.state, "connected");
    heard.length = 0;
    await server.deliver(chat("back"));
    assert.deepEqual(heard, ["back"]);
  }
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("leaving the page of one window is no good-bye; that of the last is one", async () => {
  const { server, windows } = await three();
  for (const [n, { window }] of windows.entries()) {
    assert.equal(server.messages("/meta/disconnect").length, 0);
    window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
    await settle();
    assert.equal(windows[n].bus.state, "disconnected");
  }
  assert.equal(server.messages("/meta/disconnect").length, 1);
});

test("when the leader dies another goes on with the session at once", async () => {
  const { server, clock, windows: [a, b, c] } = await three();
  await Promise.all([b.listen("/chat"), c.listen("/chat")]);
  const { clientId } = a.bus;
  const before = server.messages("/meta/connect").length;
  const { time } = clock;
  a.window.end();
  await settle();
  assert.equal(clock.time, time);
  for (const { bus, states } of [b, c]) {
    assert.deepEqual([bus.state, bus.transport, bus.clientId], ["connected", "websocket", clientId]);
    assert.deepEqual(states.slice(2).map(({ state }) => state), ["interrupted", "connected"]);
    assert.match(states[2].reason, /leader_lost/);
  }
  const [first] = server.messages("/meta/connect").slice(before);
  assert.deepEqual([first.clientId, first.advice, typeof first.ext.ack], [clientId, { timeout: 0 }, "number"]);
  assert.equal(server.messages("/meta/handshake").length, 1);
  assert.equal(server.messages("/meta/subscribe").length, 2, "the session has its subscriptions");
  await server.deliver(chat(1));
  assert.deepEqual([b.heard, c.heard], [[1], [1]]);
});

test("a message that was on its way to a leader that died arrives once", async () => {
  const { server, windows: [a, b, c] } = await three();
  await Promise.all([b.listen("/chat"), c.listen("/chat")]);
  await server.deliver(chat(0));
  server.way = "lost";
  await server.deliver(chat(1));
  a.window.end();
  server.way = "ok";
  await settle();
  await server.deliver(chat(2));
  assert.deepEqual([b.heard, c.heard], [[0, 1, 2], [0, 1, 2]]);
});

test("a message that a leader passed on, but did not acknowledge before it died, arrives once", async () => {
  const { server, windows: [a, b, c] } = await three();
  await Promise.all([b.listen("/chat"), c.listen("/chat")]);
  await server.deliver(chat(0));
  server.way = "cut";
  await server.deliver(chat(1), chat(2));
  assert.deepEqual(b.heard, [0, 1, 2]);
  server.way = "ok";
  server.waiting.push(chat(3));
  a.window.end();
  await settle();
  assert.deepEqual([b.heard, c.heard], [[0, 1, 2, 3], [0, 1, 2, 3]]);
});

test("one leader after another may die", async () => {
  const { server, windows } = await three();
  await Promise.all(windows.map(({ listen }) => listen("/chat")));
  for (const n of [0, 1]) {
    await server.deliver(chat(n));
    windows[n].window.end();
    server.waiting.push(chat(`${n} died`));
    await settle();
  }
  assert.deepEqual(windows[2].heard, [0, "0 died", 1, "1 died"]);
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("a publish that the dead leader had taken is rejected, never sent again", async () => {
  const { server, windows: [a, b] } = await three();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(b.bus.publish("/chat", 1));
  await settle();
  a.window.end();
  await settle();
  const { error } = await lost;
  assert.deepEqual([error.code, error.error, error.channel, error.reply], [0, "leader_lost", "/chat", undefined]);
  assert.equal(server.messages("/chat").length, 1);
});

test("so is one that a leader had taken which leaves", async () => {
  const { server, windows: [a, b] } = await three();
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(b.bus.publish("/chat", 1));
  await settle();
  a.window.dispatchEvent(new Event("pagehide"));
  await settle();
  assert.equal((await lost).error.message, "/chat: 0::leader_lost");
  assert.equal(b.states[2].reason, "0::leader_lost");
  assert.equal(b.bus.state, "connected");
});

test("a publish that the dead leader had not taken is sent by the next one", async () => {
  const { server, windows: [a, b] } = await three();
  const publishing = b.bus.publish("/chat", 1);
  a.window.end();
  assert.equal((await publishing).successful, true);
  assert.equal(server.messages("/chat").length, 1);
});

test("a call that the server had accepted gets its answer through the next leader", async () => {
  const { server, windows: [a, b] } = await three();
  const calling = b.bus.call("slow");
  await settle();
  const { id } = server.messages("/service/slow")[0];
  a.window.end();
  await settle();
  await server.deliver({ channel: "/service/slow", id, data: "answer", successful: true });
  assert.equal(await calling, "answer");
});

test("a subscription that was on its way is made by the next leader", async () => {
  const { server, windows: [a, b] } = await three();
  server.answer = ({ channel }) => (channel === "/meta/subscribe" ? null : undefined);
  const subscribing = b.listen("/chat");
  await settle();
  server.answer = () => undefined;
  a.window.end();
  assert.equal((await subscribing).channel, "/chat");
  assert.equal(server.messages("/meta/subscribe").length, 2);
});

test("the next leader takes the transport that worked", async () => {
  const server = new AckServer();
  server.websocket = "refused";
  const { windows: [a, b] } = await three(server);
  assert.equal(b.bus.transport, "long-polling");
  a.window.end();
  await settle();
  assert.deepEqual([b.bus.state, b.bus.transport, server.sockets.length], ["connected", "long-polling", 2]); // those of the first leader
});

test("a connection that breaks interrupts all windows, and its replacement serves all", async () => {
  const { server, clock, windows } = await three();
  await Promise.all(windows.map(({ listen }) => listen("/chat")));
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(windows[1].bus.publish("/chat", 1));
  await settle();
  server.socket.lose();
  await settle();
  const { error } = await lost;
  assert.equal(error.message, "/chat: 0:websocket closed 1006:transport_failed");
  for (const { bus, states } of windows) {
    assert.deepEqual([bus.state, bus.transport], ["interrupted", null]);
    assert.match(states.at(-1).reason, /websocket closed 1006/);
  }
  server.answer = () => undefined;
  const waiting = windows[1].bus.publish("/chat", 2);
  assert.ok(await pending(waiting));
  server.waiting.push(chat("meanwhile"));
  await clock.advance(1_000);
  assert.equal((await waiting).successful, true);
  for (const { bus, heard } of windows) assert.deepEqual([bus.state, heard], ["connected", ["meanwhile"]]);
});

test("what one window sends while the leader reconnects is sent once", async () => {
  const { server, clock, windows: [, b] } = await three();
  server.socket.lose();
  const publishing = b.bus.publish("/chat", 1); // it does not know yet
  await clock.advance(1_000);
  assert.equal((await publishing).successful, true);
  assert.equal(server.messages("/chat").length, 1);
});

test("a refused request fails its message alone", async () => {
  const { server, windows: [, b, c] } = await three(undefined, LONG_POLLING);
  server.http = 413;
  const { error } = await outcome(b.bus.publish("/chat", "long"));
  assert.match(error.message, /^\/chat: 0:HTTP 413 without a reply:transport_failed$/);
  assert.deepEqual([b.bus.state, c.bus.state], ["connected", "connected"]);
});

test("a lost session is replaced for all, with the subscriptions of each", async () => {
  const fixture = await three();
  const { server, windows } = fixture;
  const before = windows[2].bus.clientId;
  await Promise.all(windows.map(({ listen }, n) => listen(`/${n}`)));
  server.sessions.clear();
  const { length } = fixture.subscriptions();
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  assert.deepEqual(fixture.subscriptions().slice(length).sort(), ["subscribe /0", "subscribe /1", "subscribe /2"]);
  assert.equal(new Set([before, ...windows.map(({ bus }) => bus.clientId)]).size, 2);
  await server.deliver({ channel: "/2", data: 1 });
  assert.deepEqual(windows[2].heard, [1]);
});

test("402 on the message of one window replaces the session for all", async () => {
  const { server, windows } = await three();
  server.sessions.clear();
  const { error } = await outcome(windows[1].bus.publish("/chat", 1));
  assert.equal(error.code, 402);
  await settle();
  for (const { bus } of windows) assert.deepEqual([bus.state, bus.clientId], ["connected", [...server.sessions][0]]);
});

test("a server that ends the session ends it for all", async () => {
  const { server, windows } = await three();
  await server.release([], { advice: { reconnect: "none" } });
  await settle();
  for (const { bus, states } of windows) {
    assert.equal(bus.state, "disconnected");
    assert.match(states.at(-1).reason, /disconnected_by_server/);
  }
  assert.equal(server.messages("/meta/handshake").length, 1);
});

test("a refused handshake rejects connect() in all windows", async () => {
  const fixture = new Fixture();
  fixture.server.answer = ({ channel }) => channel === "/meta/handshake" && { successful: false, error: "403::handshake_denied", advice: { reconnect: "none" } };
  const all = [fixture.add(), fixture.add()];
  for (const { error } of await Promise.all(all.map(({ bus }) => outcome(bus.connect())))) assert.equal(error.code, 403);
});

test("a leader that does not answer interrupts the window that waits, until it does", async () => {
  const { server, clock, windows: [, b] } = await three(undefined, { maxNetworkDelay: 5_000 });
  server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(b.bus.publish("/chat", 1));
  await clock.advance(5_000);
  assert.match((await lost).error.message, /no reply in 5000 ms/);
  await clock.advance(1_000);
  assert.equal(b.bus.state, "connected");
});

/** A window that leads, and `hang()`, after which it hears nothing; what that returns lets it hear all of it. */
async function hangingLeader(fixture) {
  const it = fixture.add();
  const channels = [];
  it.window.BroadcastChannel = class extends it.window.BroadcastChannel {
    constructor(name) {
      super(name);
      channels.push(this);
    }
  };
  await it.bus.connect();
  await settle();
  const hang = () => {
    const [channel] = channels;
    const { onmessage } = channel;
    const waiting = [];
    channel.onmessage = (event) => waiting.push(event);
    return () => {
      channel.onmessage = onmessage;
      waiting.forEach(onmessage);
    };
  };
  return { ...it, hang };
}

test("what a leader that does not answer may have taken is not sent again", async () => {
  const fixture = new Fixture();
  const { server, clock } = fixture;
  const { hang } = await hangingLeader(fixture);
  const b = await fixture.open();
  const resume = hang();
  const lost = outcome(b.bus.publish("/chat", 1));
  await clock.advance(10_000);
  assert.match((await lost).error.message, /no reply in 10000 ms/);
  resume();
  await b.bus.publish("/chat", 2);
  assert.deepEqual(server.messages("/chat").map(({ data }) => data), [1, 2]);
});

test("what was handed to a leader before its connection was replaced is sent once", async () => {
  const fixture = new Fixture();
  const { server, clock } = fixture;
  const { hang } = await hangingLeader(fixture);
  const b = await fixture.open();
  const resume = hang();
  const publishing = b.bus.publish("/chat", 1);
  await settle();
  server.socket.lose();
  await clock.advance(1_000);
  resume();
  assert.equal((await publishing).successful, true);
  assert.equal(server.messages("/chat").length, 1);
});

test("a window that is left while it starts joins nothing", async () => {
  const fixture = new Fixture();
  const { bus, window } = fixture.add();
  let joined = 0;
  window.BroadcastChannel = class {
    constructor() {
      joined++;
    }
  };
  const connecting = outcome(bus.connect());
  await bus.disconnect();
  assert.equal((await connecting).error.error, "disconnect");
  await settle();
  assert.equal(joined, 0);
});

test("all windows are told of windows outside the share", async () => {
  const { server, clock, windows } = await three(undefined, LONG_POLLING);
  await server.release([], { advice: { "multiple-clients": true, interval: 2_000 } });
  await clock.advance(2_000);
  await server.release([], { advice: { reconnect: "retry" } });
  for (const { windows: events, bus } of windows) assert.deepEqual([events, bus.advice.interval], [[true, false], 0]);
});

test("a window may share binary data with the next", async () => {
  const { server, windows: [, b, c] } = await three();
  await c.listen("/bytes");
  await b.bus.publish("/bytes", new Uint8Array([1, 2, 3]));
  const { data, ext } = server.messages("/bytes")[0];
  await server.deliver({ channel: "/bytes", data, ext });
  assert.deepEqual(c.heard, [new Uint8Array([1, 2, 3])]);
});

test("extensions of a window see its own messages once", async () => {
  const fixture = new Fixture();
  const seen = [];
  const extension = (name) => ({ extensions: [{ outgoing: ({ channel }) => void (channel === "/chat" && seen.push(name)) }] });
  await fixture.open(extension("a"));
  const b = await fixture.open(extension("b"));
  await b.bus.publish("/chat", 1);
  assert.deepEqual(seen, ["b"]);
});

test("a leader on a slow server takes no more than maxQueue", async () => {
  const { server, windows: [, b] } = await three(undefined, { ...LONG_POLLING, maxQueue: 2 });
  server.http = "silent";
  const results = [];
  for (let n = 0; n < 4; n++) {
    results.push(outcome(b.bus.publish("/chat", n)));
    await settle();
  }
  const { error } = await results[3];
  assert.deepEqual([error.code, error.error, error.args, error.reply], [0, "queue_full", ["2"], undefined]);
});

test("without locks, or where they are refused, each window connects for itself", async () => {
  const refused = () => Promise.reject(new Error("SecurityError"));
  for (const change of [{ navigator: {} }, { BroadcastChannel: undefined }, { navigator: { locks: { request: refused } } }]) {
    const fixture = new Fixture();
    const it = fixture.add();
    Object.assign(it.window, change);
    await it.bus.connect();
    assert.equal(it.bus.state, "connected");
    assert.equal(fixture.server.messages("/meta/handshake").length, 1);
    await it.bus.disconnect();
    assert.equal(fixture.server.sessions.size, 0);
  }
});

test("a large message for the leading window makes no window lose the link while the server answers over HTTP", async () => {
  const fixture = new Fixture();
  const fetch = async () => ({ status: 200, text: async () => "[]" });
  const [leader, follower] = [await fixture.open({ fetch }), await fixture.open({ fetch })];
  await import("../../js/mirant/network.js");
  await settle();
  const { server, clock } = fixture;
  server.answer = ({ channel }) => (channel === "/slow" ? null : undefined);
  const behind = outcome(follower.bus.publish("/slow", 1));
  await clock.advance(25_000);
  assert.deepEqual([leader.bus.state, follower.bus.state, server.sockets.length], ["connected", "connected", 1]);
  const { id } = server.messages("/slow")[0];
  server.socket.receive([{ channel: "/slow", id, successful: true }]);
  assert.equal((await behind).value.successful, true);
});
