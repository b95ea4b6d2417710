/** Timers of a hidden page are a worker's. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { keepTime } from "../../js/mirant/clock.js";
import { Clock, connected, settle } from "./fakes.js";

const SLOW = 60_000;

/** A page whose own timers are slowed down while it is hidden, and workers whose timers are not. */
function hiddenPage({ broken = false } = {}) {
  const clock = new Clock();
  const document = Object.assign(new EventTarget(), { hidden: true });
  const workers = [];
  class Worker {
    timers = new Map();
    terminated = false;

    constructor(url, options) {
      Object.assign(this, { url, options });
      workers.push(this);
      if (broken) queueMicrotask(() => this.onerror(new Event("error")));
    }

    postMessage({ timer, delay }) {
      if (delay === undefined) return clock.clearTimeout(this.timers.get(timer));
      this.timers.set(timer, clock.setTimeout(() => this.onmessage({ data: timer }), delay));
    }

    terminate() {
      this.terminated = true;
      for (const timer of this.timers.values()) clock.clearTimeout(timer);
    }
  }
  const window = Object.assign(new EventTarget(), { document, Worker });
  const own = {
    setTimeout: (callback, delay) => clock.setTimeout(callback, document.hidden ? Math.max(SLOW, delay) : delay),
    clearTimeout: clock.clearTimeout,
  };
  return { clock, document, workers, window, ...own };
}

function kept(page = hiddenPage()) {
  const ended = new AbortController();
  const settings = { ...page };
  keepTime(settings, ended.signal);
  const fired = [];
  const set = (delay) => settings.setTimeout(() => fired.push(delay), delay);
  return { ...page, settings, ended, fired, set };
}

test("timers that are set while the page is hidden fire in time", async () => {
  const { clock, fired, set, workers } = kept();
  set(2_000);
  await clock.advance(2_000);
  assert.deepEqual(fired, [2_000]);
  assert.deepEqual(workers[0].options.type, "module");
  assert.match(workers[0].url, /\/mirant\/clock\.js$/);
});

test("timers of a page that is seen are its own, whatever it was when others were set", async () => {
  const { clock, fired, set, document, workers } = kept();
  set(2_000);
  document.hidden = false;
  set(1_000);
  await clock.advance(2_000);
  assert.deepEqual(fired, [1_000, 2_000]);
  assert.equal(workers[0].timers.size, 1);
});

test("a timer that is cleared does not fire", async () => {
  const { clock, fired, set, settings, document } = kept();
  const hidden = set(2_000);
  document.hidden = false;
  const seen = set(2_000);
  settings.clearTimeout(hidden);
  settings.clearTimeout(seen);
  await clock.advance(2_000);
  assert.deepEqual(fired, []);
});

test("a worker that fails leaves its timers to the page", async () => {
  const { clock, fired, set, workers } = kept(hiddenPage({ broken: true }));
  const timer = set(2_000);
  await clock.advance(SLOW);
  assert.deepEqual(fired, [2_000]);
  assert.ok(workers[0].terminated);
  assert.ok(timer);
});

test("when the session ends the worker ends, and timers that are left fire", async () => {
  const { clock, fired, set, settings, ended, workers } = kept();
  const own = settings.setTimeout;
  set(2_000);
  ended.abort();
  assert.ok(workers[0].terminated);
  assert.notEqual(settings.setTimeout, own);
  await clock.advance(SLOW);
  assert.deepEqual(fired, [2_000]);
});

test("a second window of a browser that is hidden polls every two seconds", async () => {
  const { clock, window, setTimeout, clearTimeout, document, workers } = hiddenPage();
  document.hidden = false;
  const { server } = await connected({ clock, window, setTimeout, clearTimeout, transports: ["long-polling"] });
  await import("../../js/mirant/network.js");
  await settle();
  document.hidden = true;
  document.dispatchEvent(new Event("visibilitychange"));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.equal(workers.length, 1);
  server.answer = ({ channel }) => channel === "/meta/connect" && { successful: true, advice: { interval: 2_000, "multiple-clients": true } };
  await server.release([], { advice: { interval: 2_000, "multiple-clients": true } });
  const before = server.messages("/meta/connect").length;
  await clock.advance(20_000);
  assert.equal(server.messages("/meta/connect").length - before, 10);
});

test("a page that is never hidden makes no worker", async () => {
  const { clock, window, document, workers } = hiddenPage();
  document.hidden = false;
  await connected({ clock, window });
  await clock.advance(60_000);
  assert.equal(workers.length, 0);
});
