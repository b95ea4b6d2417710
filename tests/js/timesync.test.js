import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeSync } from "../../js/mirant.js";
import { connected, outcome, setUp, settle } from "./fakes.js";

/** One exchange: leaves at `tc`, takes `there` and `back` on the way, `held` in a server that is `ahead`. */
function exchange(clock, timesync, { there = 0, back = 0, held = 0, ahead = 0, channel = "/meta/connect" }) {
  const message = { channel };
  timesync.outgoing(message);
  const { tc } = message.ext.timesync;
  clock.time += there + held + back;
  timesync.incoming({ channel, successful: true, ext: { timesync: { tc, ts: tc + there + ahead, p: held } } });
}

const local = () => {
  const clock = { time: 1_000_000 };
  return { clock, timesync: new TimeSync({ now: () => clock.time }) };
};

test("offset and lag of one exchange", () => {
  const { clock, timesync } = local();
  exchange(clock, timesync, { there: 20, back: 20, ahead: 5_000 });
  assert.deepEqual(timesync.samples, [{ offset: 5_000, lag: 20, at: 1_000_040 }]);
  assert.deepEqual([timesync.offset, timesync.lag], [5_000, 20]);
  assert.equal(timesync.serverTime(), clock.time + 5_000);
  assert.deepEqual(timesync.serverDate(), new Date(clock.time + 5_000));
});

test("the time a connect was held does not count", () => {
  const { clock, timesync } = local();
  exchange(clock, timesync, { there: 15, back: 15, held: 30_000, ahead: -200 });
  assert.deepEqual([timesync.offset, timesync.lag], [-200, 15]);
});

test("an uneven way makes an error no larger than the lag", () => {
  const { clock, timesync } = local();
  exchange(clock, timesync, { there: 90, back: 10, ahead: 1_000 });
  assert.ok(Math.abs(timesync.offset - 1_000) <= timesync.lag);
});

test("the estimate is the mean of the better half of the last ten", () => {
  const { clock, timesync } = local();
  for (const there of [100, 2, 4, 300]) exchange(clock, timesync, { there, back: 2 });
  assert.equal(timesync.lag, (2 + 3) / 2);
  assert.equal(timesync.offset, (0 + 1) / 2);
  for (let n = 0; n < 10; n++) exchange(clock, timesync, { there: 50, back: 50 });
  assert.equal(timesync.samples.length, 10);
  assert.equal(timesync.lag, 50);
});

test("a rounded p does not make a lag below nothing", () => {
  const { timesync } = local();
  timesync.incoming({ channel: "/meta/connect", ext: { timesync: { tc: 1_000_000, ts: 1_000_000, p: 1 } } });
  assert.deepEqual([timesync.lag, timesync.offset], [0, 0]);
});

test("samples from before a clock was set are dropped", () => {
  const { clock, timesync } = local();
  for (let n = 0; n < 5; n++) exchange(clock, timesync, { there: 10, back: 10 });
  clock.time += 3_600_000; // somebody sets the local clock: the server is now an hour behind
  exchange(clock, timesync, { there: 10, back: 10, ahead: -3_600_000 });
  assert.equal(timesync.samples.length, 1);
  assert.equal(timesync.offset, -3_600_000);
});

test("a page whose clock is an hour wrong has the time of the server", () => {
  const server = 1_700_000_000_000;
  const clock = { time: server + 3_600_000 };
  const timesync = new TimeSync({ now: () => clock.time });
  exchange(clock, timesync, { there: 25, back: 25, ahead: -3_600_000 });
  assert.equal(timesync.serverTime(), server + 50);
});

test("the clock is the one of the moment it was made", (t) => {
  const timesync = new TimeSync();
  const before = timesync.serverTime();
  t.mock.method(Date, "now", () => 0);
  assert.ok(timesync.serverTime() >= before);
});

test("meta messages carry what is known; others carry nothing", () => {
  const { clock, timesync } = local();
  exchange(clock, timesync, { there: 20.4, back: 20.4, ahead: 7 });
  const message = { channel: "/meta/subscribe", ext: { other: 1 } };
  timesync.outgoing(message);
  assert.deepEqual(message.ext, { other: 1, timesync: { tc: clock.time, l: 20, o: 7 } });
  const publish = { channel: "/chat" };
  timesync.outgoing(publish);
  assert.deepEqual(publish, { channel: "/chat" });
});

test("answers that are none are ignored, and so are those on other channels", () => {
  const { timesync } = local();
  for (const ext of [undefined, {}, { timesync: null }, { timesync: true }, { timesync: { tc: 1, ts: "2", p: 0 } }]) timesync.incoming({ channel: "/meta/connect", ext });
  timesync.incoming({ channel: "/chat", data: 1, ext: { timesync: { tc: 1, ts: 2, p: 0 } } });
  assert.deepEqual(timesync.samples, []);
  assert.deepEqual([timesync.offset, timesync.lag], [0, 0]);
});

test("each sample is an event", () => {
  const { clock, timesync } = local();
  const seen = [];
  timesync.addEventListener("sample", ({ detail }) => seen.push(detail));
  exchange(clock, timesync, { there: 1, back: 1 });
  assert.deepEqual(seen, timesync.samples);
});

test("the list of samples is a copy", () => {
  const { clock, timesync } = local();
  exchange(clock, timesync, {});
  timesync.samples.pop();
  assert.equal(timesync.samples.length, 1);
});

/** A bus with timesync on a server that answers to it, `ahead` of the client. */
async function synchronised(ahead) {
  const fixture = setUp();
  const { server, clock } = fixture;
  const timesync = new TimeSync({ now: clock.now });
  const { Mirant } = await import("../../js/mirant.js");
  const { setTimeout, clearTimeout } = clock;
  const bus = new Mirant("http://bus.example/cometd", { WebSocket: server.WebSocket, setTimeout, clearTimeout, extensions: [timesync] });
  server.answer = ({ channel, subscription, ext }) => {
    if (subscription !== "/service/timesync") return undefined;
    return { channel, successful: true, subscription, ext: { timesync: { tc: ext.timesync.tc, ts: clock.time + ahead, p: 0 } } };
  };
  await bus.connect();
  return { ...fixture, bus, timesync };
}

test("sample() takes one now, and asks so that the server cannot keep silent", async () => {
  const { bus, server, clock, timesync } = await synchronised(250);
  const sample = await timesync.sample(bus);
  assert.deepEqual(sample, { offset: 250, lag: 0, at: clock.time });
  const message = server.messages("/meta/subscribe").at(-1);
  assert.deepEqual([message.subscription, message.ext], ["/service/timesync", { timesync: { tc: clock.time } }]);
});

test("ten samples in a row are ten samples, and leave no subscription", async () => {
  const { bus, server, timesync } = await synchronised(250);
  for (let n = 0; n < 10; n++) await timesync.sample(bus);
  assert.equal(timesync.samples.length, 10);
  const count = server.messages("/meta/subscribe").length;
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown" });
  assert.equal(server.messages("/meta/handshake").length, 2);
  assert.equal(server.messages("/meta/subscribe").length, count);
});

test("sample() is null where the server does not answer to timesync, or refuses without", async () => {
  const timesync = new TimeSync();
  const { bus, server } = await connected({ extensions: [timesync] });
  assert.equal(await timesync.sample(bus), null);
  server.answer = ({ channel }) => channel === "/meta/subscribe" && { successful: false, error: "403:denied:subscribe_denied" };
  assert.equal(await timesync.sample(bus), null);
});

test("sample() rejects when there is no session", async () => {
  const timesync = new TimeSync();
  const { bus } = await connected({ extensions: [timesync] });
  await bus.disconnect();
  assert.equal((await outcome(timesync.sample(bus))).error.error, "disconnected");
  await settle();
});
