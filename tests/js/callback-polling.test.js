import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeServer, outcome, pending, setUp, settle } from "./fakes.js";

/** A window whose script elements are GETs to the fake server. */
function page(server, scripts = []) {
  const window = new EventTarget();
  window.document = {
    createElement: () => ({ remove() { this.removed = true; } }),
    head: {
      append(script) {
        scripts.push(script);
        const { pathname, searchParams } = new URL(script.src);
        script.callback = searchParams.get("jsonp");
        script.run = (messages) => {
          if (messages) window[script.callback](structuredClone(messages));
          script.onload({ type: "load" });
        };
        if (server.http === "down") queueMicrotask(() => script.onerror({ type: "error" }));
        if (server.http === "ok") server.receive(pathname, JSON.parse(searchParams.get("message")), (messages) => queueMicrotask(() => script.run(messages)));
      },
    },
  };
  return { window, scripts };
}

function prepare(options) {
  const server = new FakeServer();
  server.types = ["callback-polling"];
  const { window, scripts } = page(server);
  return { ...setUp({ server, window, transports: ["callback-polling"], ...options }), scripts };
}

async function connected(options) {
  const fixture = prepare(options);
  await fixture.bus.connect();
  await settle();
  return fixture;
}

test("messages go by scripts, and come as calls", async () => {
  const { bus, server, scripts } = await connected();
  assert.deepEqual([bus.state, bus.transport], ["connected", "callback-polling"]);
  const heard = [];
  await bus.subscribe("/chat", ({ data }) => heard.push(data));
  await server.push({ channel: "/chat", data: "hello" });
  assert.deepEqual(heard, ["hello"]);
  assert.equal(server.requests.length, 0);
  assert.match(scripts[0].src, /^http:\/\/bus\.example\/cometd\?jsonp=_mirant\d+&message=/);
  assert.equal(server.messages("/meta/connect")[0].connectionType, "callback-polling");
});

test("it is used only when it is asked for, and offered", async () => {
  const server = new FakeServer();
  const { window, scripts } = page(server);
  server.websocket = "refused";
  server.types = ["websocket", "long-polling", "callback-polling"];
  assert.equal((await outcome(setUp({ server, window }).bus.connect())).error, undefined);
  assert.equal(scripts.length, 0);
  server.types = ["long-polling"];
  const { bus } = setUp({ server, window, transports: ["callback-polling", "long-polling"] });
  await bus.connect();
  assert.equal(bus.transport, "long-polling");
});

test("after the transports before it fail, it is the one", async () => {
  const server = new FakeServer();
  server.websocket = "refused";
  server.types = ["websocket", "long-polling", "callback-polling"];
  const { window } = page(server);
  const fetch = () => Promise.reject(new TypeError("blocked"));
  const { bus } = setUp({ server, window, fetch, transports: ["websocket", "long-polling", "callback-polling"] });
  await bus.connect();
  assert.equal(bus.transport, "callback-polling");
});

test("URLs have at most 2000 characters: a batch is split, in order", async () => {
  const { bus, server, scripts } = await connected();
  await Promise.all(Array.from({ length: 40 }, (_, n) => bus.publish("/chat", `${n} ${"ü".repeat(30)}`)));
  assert.deepEqual(server.messages("/chat").map(({ data }) => parseInt(data)), Array.from({ length: 40 }, (_, n) => n));
  assert.ok(scripts.every(({ src }) => src.length <= 2_000));
  assert.equal(scripts.length, 3 + 40, "each message alone");
});

test("a message too long for a URL fails alone", async () => {
  const { bus } = await connected();
  const [long, short] = [bus.publish("/a", "x".repeat(2_000)), bus.publish("/b", 1)].map(outcome);
  const { error } = await long;
  assert.match(error.message, /^\/a: 0:a URL of 2\d{3} characters:transport_failed$/);
  assert.equal((await short).value.successful, true);
  assert.equal(bus.state, "connected");
});

test("callbacks have names that nothing else has, and leave nothing behind", async () => {
  const fixture = prepare();
  const { bus, server, window, scripts } = fixture;
  window._mirant0 = "taken";
  await bus.connect();
  await settle();
  const publishing = bus.publish("/chat", 1);
  await publishing;
  const names = scripts.map(({ callback }) => callback);
  assert.ok(!names.includes("_mirant0"));
  assert.notEqual(names.at(-1), names.at(-2), "the held connect has its own");
  await settle();
  assert.deepEqual(Object.keys(window).filter((name) => name.startsWith("_mirant")), ["_mirant0", names.at(-2)]);
  assert.equal(scripts.filter(({ removed }) => !removed).length, 1);
  assert.equal(server.holds, 1);
});

test("a script that fails is a failure of the transport", async () => {
  const { bus, server, clock } = await connected();
  server.http = "down";
  const { error } = await outcome(bus.publish("/chat", 1));
  assert.match(error.message, /script error/);
  assert.equal(bus.state, "interrupted");
  server.http = "ok";
  await clock.advance(1_000);
  assert.equal(bus.state, "connected");
});

test("so is a script that is none of ours", async () => {
  const { bus, server, scripts } = await connected();
  server.http = "silent";
  const lost = outcome(bus.publish("/chat", 1));
  await settle();
  scripts.at(-1).run();
  assert.match((await lost).error.message, /script load/);
  assert.equal(bus.state, "interrupted");
});

test("so is one that takes too long; coming late it harms nobody", async () => {
  const { bus, server, clock, scripts } = await connected();
  server.http = "silent";
  const lost = outcome(bus.publish("/chat", 1));
  await clock.advance(10_000);
  assert.match((await lost).error.message, /no reply in 10000 ms/);
  scripts.at(-1).run([{ channel: "/chat", id: "4", successful: true }]);
  assert.equal(bus.state, "interrupted");
});

test("a script without the reply fails that message alone", async () => {
  const { bus, server, scripts } = await connected();
  server.http = "silent";
  const lost = outcome(bus.publish("/chat", 1));
  await settle();
  scripts.at(-1).run([]);
  assert.match((await lost).error.message, /a script without a reply/);
  assert.equal(bus.state, "connected");
});

test("a connection that is given up sends nothing more of a batch", async () => {
  const { bus, server } = await connected();
  server.http = "silent";
  const all = Array.from({ length: 40 }, (_, n) => bus.publish("/chat", `${n} ${"ü".repeat(30)}`));
  all.forEach((one) => one.catch(() => {}));
  await settle();
  const leaving = bus.disconnect();
  assert.ok(await pending(leaving));
  assert.equal(server.messages("/chat").length, 0);
});

test("nor when the script that it waits for comes after all", async () => {
  const { bus, server, scripts, window } = await connected();
  server.http = "silent";
  for (let n = 0; n < 40; n++) bus.publish("/chat", `${n} ${"ü".repeat(30)}`).catch(() => {});
  await settle();
  const { length } = scripts;
  window.dispatchEvent(new Event("pagehide"));
  scripts[length - 1].run([]);
  await settle();
  assert.equal(scripts.length, length + 1, "only the good-bye");
});

test("leaving the page says good-bye", async () => {
  const { server, window } = await connected();
  window.dispatchEvent(new Event("pagehide"));
  await settle();
  assert.equal(server.messages().at(-1).channel, "/meta/disconnect");
});

/** A page whose poll has died on a network that it left, and that is online again. */
async function returned(options) {
  const fixture = await connected(options);
  await import("../../js/mirant/network.js");
  await settle();
  const dead = fixture.scripts.at(-1);
  fixture.dead = { run: dead.run, poll: fixture.server.messages("/meta/connect").at(-1) };
  fixture.server.letGo();
  fixture.before = fixture.scripts.length;
  fixture.window.dispatchEvent(new Event("online"));
  await settle();
  return fixture;
}

test("on a new network a dead poll is replaced at once", async () => {
  const { bus, server, scripts, before } = await returned();
  const [renewed, next] = server.messages("/meta/connect").slice(-2);
  assert.deepEqual([renewed.advice, next.advice, scripts.length], [{ timeout: 0 }, undefined, before + 2]);
  assert.deepEqual([bus.state, server.holds], ["connected", 1]);
});

test("what the replaced poll brings after all is delivered", async () => {
  const { bus, dead } = await returned();
  const heard = [];
  await bus.subscribe("/chat", ({ data }) => heard.push(data));
  dead.run([{ channel: "/chat", data: "late" }, { channel: "/meta/connect", id: dead.poll.id, successful: true }]);
  await settle();
  assert.deepEqual([heard, bus.state], [["late"], "connected"]);
});

test("a poll that is replaced in vain is a failure of the transport", async () => {
  const { bus, server, clock, window } = await connected();
  await import("../../js/mirant/network.js");
  await settle();
  server.http = "silent";
  window.dispatchEvent(new Event("online"));
  await clock.advance(4_999);
  assert.equal(bus.state, "connected");
  await clock.advance(1);
  assert.equal(bus.state, "interrupted");
});
