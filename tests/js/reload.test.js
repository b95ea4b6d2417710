import assert from "node:assert/strict";
import { test } from "node:test";

import { Ack } from "../../js/mirant.js";
import { AckServer, Clock, FakeBrowser, FakeServer, LONG_POLLING, outcome, setUp, settle } from "./fakes.js";

/** Pages of one tab, one after the other. */
class Tab {
  clock = new Clock();
  #browser = new FakeBrowser();
  #storage = new Map();

  constructor(server = new FakeServer()) {
    this.server = server;
  }

  page(options) {
    const { server, clock } = this;
    const window = this.#browser.window({ storage: this.#storage });
    return setUp({ server, clock, window, reload: true, random: () => 1 / 36 ** 3, ...options });
  }

  async open(options) {
    const page = this.page(options);
    await page.bus.connect();
    await settle();
    return page;
  }

  async leave({ window }) {
    window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
    await settle();
  }
}

for (const options of [{}, LONG_POLLING]) {
  test(`the next page goes on with the session (${options.transports ?? "websocket"})`, async () => {
    const tab = new Tab();
    const { server } = tab;
    const first = await tab.open(options);
    const { clientId, transport } = first.bus;
    const before = server.messages("/meta/connect").length;
    await tab.leave(first);
    assert.equal(first.bus.state, "disconnected");
    const { bus } = await tab.open(options);
    assert.deepEqual([bus.state, bus.clientId, bus.transport, bus.advice.timeout], ["connected", clientId, transport, 30_000]);
    assert.deepEqual(server.messages("/meta/connect")[before].advice, { timeout: 0 });
    assert.deepEqual([server.messages("/meta/handshake").length, server.messages("/meta/disconnect").length], [1, 0]);
  });
}

test("it starts with the transport that worked", async () => {
  const tab = new Tab();
  tab.server.websocket = "refused";
  await tab.leave(await tab.open());
  const { bus } = await tab.open();
  assert.deepEqual([bus.transport, tab.server.sockets.length], ["long-polling", 2]); // those of the first page
});

test("what was queued meanwhile waits until the page subscribes, in whatever order it does that", async () => {
  for (const early of [true, false]) {
    const tab = new Tab(new AckServer());
    const ack = () => ({ extensions: [new Ack()] });
    const first = await tab.open(ack());
    await first.bus.subscribe("/chat", () => {});
    await tab.leave(first);
    tab.server.waiting.push({ channel: "/chat", data: "meanwhile" });
    const { bus } = tab.page(ack());
    const heard = [];
    const subscribe = () => bus.subscribe("/chat", ({ data }) => heard.push(data));
    const subscribed = early && subscribe();
    await bus.connect();
    await (subscribed || subscribe());
    await settle();
    assert.deepEqual(heard, ["meanwhile"]);
    assert.equal(tab.server.messages("/meta/connect").at(-1).ext.ack, 2);
  }
});

test("what waits is bounded", async () => {
  const tab = new Tab(new AckServer());
  const options = () => ({ extensions: [new Ack()], maxQueue: 2 });
  await tab.leave(await tab.open(options()));
  tab.server.waiting.push(...[1, 2, 3].map((data) => ({ channel: "/chat", data })));
  const { bus } = await tab.open(options());
  const heard = [];
  await bus.subscribe("/chat", ({ data }) => heard.push(data));
  assert.deepEqual(heard, [1, 2]);
});

test("subscriptions that the next page does not make end after maxNetworkDelay", async () => {
  const tab = new Tab();
  const { server, clock } = tab;
  const first = await tab.open();
  await Promise.all(["/a", "/b"].map((channel) => first.bus.subscribe(channel, () => {})));
  await tab.leave(first);
  const { bus } = await tab.open();
  await bus.subscribe("/a", () => {});
  await clock.advance(9_999);
  assert.deepEqual(server.messages("/meta/unsubscribe"), []);
  await clock.advance(1);
  assert.deepEqual(server.messages("/meta/unsubscribe").map(({ subscription }) => subscription), ["/b"]);
});

test("a session that the server has dropped is replaced, with the subscriptions of the page", async () => {
  const tab = new Tab();
  const { server } = tab;
  await tab.leave(await tab.open());
  server.sessions.clear();
  const { bus } = tab.page();
  const subscribed = bus.subscribe("/chat", () => {});
  await bus.connect();
  await subscribed;
  assert.deepEqual([bus.clientId, server.messages("/meta/handshake").length], [[...server.sessions][0], 2]);
});

test("a session older than maxInterval is not tried", async () => {
  const tab = new Tab();
  tab.server.advice = { ...tab.server.advice, maxInterval: 5_000 };
  await tab.leave(await tab.open());
  await tab.clock.advance(5_001);
  await tab.open();
  assert.equal(tab.server.messages("/meta/handshake").length, 2);
});

test("a page that is left before it could go on leaves the session to the next", async () => {
  const tab = new Tab();
  await tab.leave(await tab.open());
  const passing = tab.page();
  const connecting = outcome(passing.bus.connect());
  await tab.leave(passing);
  assert.equal((await connecting).error.error, "pagehide");
  await tab.open();
  assert.equal(tab.server.messages("/meta/handshake").length, 1);
});

test("only one page goes on with it", async () => {
  const tab = new Tab();
  await tab.leave(await tab.open());
  await tab.open();
  await tab.open();
  assert.equal(tab.server.messages("/meta/handshake").length, 2);
});

test("nothing is kept of a bus that was disconnected, or without the option", async () => {
  const tab = new Tab();
  const first = await tab.open();
  await first.bus.disconnect();
  await tab.leave(first);
  await tab.leave(await tab.open({ reload: false }));
  assert.equal(tab.server.messages("/meta/disconnect").length, 2);
  await tab.open();
  assert.equal(tab.server.messages("/meta/handshake").length, 3);
});

test("calls and publishes that wait are rejected when the page goes", async () => {
  const tab = new Tab();
  const page = await tab.open();
  tab.server.answer = ({ channel }) => (channel === "/chat" ? null : undefined);
  const lost = outcome(page.bus.publish("/chat", 1));
  await settle();
  await tab.leave(page);
  assert.equal((await lost).error.error, "disconnected");
});

test("storage that may not be used is reported, and the session is a new one each time", async () => {
  const tab = new Tab();
  const page = tab.page();
  Object.defineProperty(page.window, "sessionStorage", { get: () => { throw new Error("SecurityError"); } });
  await page.bus.connect();
  assert.equal(page.errors.length, 1);
  assert.equal(page.bus.state, "connected");
});

test("the last window of a shared session keeps it for the next page", async () => {
  const tab = new Tab(new AckServer());
  await tab.leave(await tab.open({ shared: true }));
  const { bus } = await tab.open({ shared: true });
  assert.equal(bus.state, "connected");
  assert.deepEqual([tab.server.messages("/meta/handshake").length, tab.server.messages("/meta/disconnect").length], [1, 0]);
});

/** Storage that all tabs share. */
function sharedStorage() {
  const storage = {};
  const method = (value) => ({ value, enumerable: false });
  return Object.defineProperties(storage, {
    getItem: method((key) => storage[key] ?? null),
    setItem: method((key, value) => void (storage[key] = value)),
    removeItem: method((key) => void delete storage[key]),
  });
}

test("a tab that was opened from another has a copy of what that stored, and not its session", async () => {
  const server = new FakeServer();
  const localStorage = sharedStorage();
  const clock = new Clock();
  const browser = new FakeBrowser();
  const own = new Map();
  const open = async (storage) => {
    const window = Object.assign(browser.window({ storage }), { localStorage });
    const page = setUp({ server, clock, window, reload: true });
    await page.bus.connect();
    return page;
  };
  const leave = ({ window }) => window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
  const first = await open(own);
  const { clientId } = first.bus;
  leave(first);
  const copy = new Map(own); // window.open
  const opened = await open(copy);
  const again = await open(own);
  assert.deepEqual([opened.bus.clientId === clientId, again.bus.clientId === clientId], [true, false]);
  assert.equal(Object.keys(localStorage).length, 0);
  const { clientId: second } = again.bus;
  leave(again);
  assert.equal((await open(own)).bus.clientId, second);
});

test("tickets that nobody took are removed after a day", async () => {
  const localStorage = sharedStorage();
  const clock = new Clock();
  const browser = new FakeBrowser();
  for (const days of [0, 2]) {
    clock.time += days * 86_400_000;
    const window = Object.assign(browser.window(), { localStorage });
    const { bus } = setUp({ server: new FakeServer(), clock, window, reload: true, random: () => days / 3 });
    await bus.connect();
    window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
    assert.equal(Object.keys(localStorage).length, 1);
  }
});

test("a page that goes on with its session still sends what waits when it goes", async () => {
  const tab = new Tab();
  const { bus, window } = await tab.open(LONG_POLLING);
  tab.server.http = "silent";
  for (const data of [1, 2]) {
    bus.publish("/chat", data).catch(() => {});
    await settle();
  }
  await tab.leave({ window });
  const { init } = tab.server.requests.at(-1);
  assert.deepEqual([init.keepalive, JSON.parse(init.body).map(({ channel }) => channel)], [true, ["/chat"]]);
});

const REFUSALS = {
  "full": () => ({ getItem: () => null, removeItem() {}, setItem() { throw new Error("QuotaExceededError"); } }),
  "forbidden": () => { throw new Error("SecurityError"); },
  "missing": () => undefined,
};

for (const [fault, get] of Object.entries(REFUSALS)) {
  for (const kind of fault === "missing" ? ["sessionStorage"] : ["sessionStorage", "localStorage"]) {
    test(`where ${kind} is ${fault} the page that goes says good-bye, and what waits leaves before`, async () => {
      const tab = new Tab();
      const page = await tab.open();
      Object.defineProperty(page.window, kind, { get });
      page.bus.publish("/chat", 1).catch(() => {});
      await tab.leave(page);
      assert.deepEqual(tab.server.messages().slice(-2).map(({ channel }) => channel), ["/chat", "/meta/disconnect"]);
      assert.equal(tab.server.sessions.size, 0);
    });
  }
}
