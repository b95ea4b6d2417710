import assert from "node:assert/strict";
import { test } from "node:test";

import { LONG_POLLING, connected, outcome, pending, setUp, settle } from "./fakes.js";

/** Answers calls as CometD does: the answer, then the reply to the publish. */
const answering = (fields) => ({ channel }) => channel.startsWith("/service/") && [{ successful: true, ...fields }, { successful: true }];

for (const options of [{}, LONG_POLLING]) {
  test(`a call resolves with the data of its answer (${options.transports ?? "websocket"})`, async () => {
    const { bus, server, clock } = await connected(options);
    server.answer = answering({ data: { sum: 3 } });
    assert.deepEqual(await bus.call("sum", [1, 2]), { sum: 3 });
    const [{ data, id }] = server.messages("/service/sum");
    assert.deepEqual([data, id], [[1, 2], "4"]);
    await settle();
    assert.deepEqual(clock.delays, [40_000]);
  });
}

test("an answer may come after the reply, and may be null", async () => {
  const { bus, server } = await connected();
  const calling = outcome(bus.call("/slow"));
  await settle();
  await server.push({ channel: "/service/slow", id: "4", data: null, successful: true });
  assert.deepEqual(await calling, { value: null });
});

test("each call gets the answer with its id", async () => {
  const { bus, server } = await connected();
  const calls = [bus.call("echo", 1), bus.call("echo", 2)].map(outcome);
  await settle();
  await server.push({ channel: "/service/echo", id: "5", data: "b" }, { channel: "/service/echo", id: "4", data: "a" });
  assert.deepEqual((await Promise.all(calls)).map(({ value }) => value), ["a", "b"]);
});

test("a message with the id of a call on another channel is a delivery", async () => {
  const { bus, server } = await connected();
  const seen = [];
  bus.listen("/chat", ({ data }) => seen.push(data));
  const calling = bus.call("echo", 1);
  await settle();
  await server.push({ channel: "/chat", id: "4", data: "not the answer" });
  assert.deepEqual(seen, ["not the answer"]);
  assert.ok(await pending(calling));
});

test("an unsuccessful answer rejects, and is the error's reply", async () => {
  const { bus, server } = await connected();
  server.answer = answering({ data: { why: "no such city" }, successful: false });
  const { error } = await outcome(bus.call("weather", "atlantis"));
  assert.deepEqual([error.code, error.error, error.channel], [500, "call_failed", "/service/weather"]);
  assert.deepEqual(error.reply.data, { why: "no such city" });
});

test("an unsuccessful answer may name its error", async () => {
  const { bus, server } = await connected();
  server.answer = answering({ data: null, successful: false, error: "404:atlantis:city_unknown" });
  const { error } = await outcome(bus.call("weather", "atlantis"));
  assert.deepEqual([error.code, error.args, error.error], [404, ["atlantis"], "city_unknown"]);
});

test("a call whose message is refused rejects", async () => {
  const { bus, server, clock } = await connected();
  server.answer = ({ channel }) => channel === "/service/echo" && { successful: false, error: "403:denied:publish_denied" };
  assert.equal((await outcome(bus.call("echo"))).error.error, "publish_denied");
  assert.deepEqual(clock.delays, [40_000]);
});

test("a call without answer rejects with 406::timeout", async () => {
  const { bus, clock } = await connected();
  const [usual, short] = [bus.call("slow"), bus.call("slow", 1, { timeout: 500 })].map(outcome);
  await clock.advance(500);
  const { error } = await short;
  assert.deepEqual([error.code, error.error], [406, "timeout"]);
  await clock.advance(9_499);
  assert.ok(await pending(usual));
  await clock.advance(1);
  assert.equal((await usual).error.code, 406);
});

test("a call that timed out before it was sent is never sent", async () => {
  const { bus, server, clock } = setUp();
  const calling = outcome(bus.call("echo", 1));
  await clock.advance(10_000);
  assert.equal((await calling).error.code, 406);
  await bus.connect();
  assert.equal(server.messages("/service/echo").length, 0);
});

test("a call without reply rejects when the transport breaks", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel }) => (channel === "/service/echo" ? null : undefined);
  const calling = outcome(bus.call("echo", 1));
  await settle();
  server.socket.lose();
  assert.equal((await calling).error.error, "transport_failed");
});

test("a call the server has accepted waits for its answer across a broken transport", async () => {
  const { bus, server, clock } = await connected();
  const calling = outcome(bus.call("slow", 1));
  await settle();
  server.socket.lose();
  await clock.advance(1_000);
  await server.push({ channel: "/service/slow", id: "4", data: "answer", successful: true });
  assert.deepEqual(await calling, { value: "answer" });
});

test("but not beyond the session", async () => {
  const { bus, server } = await connected();
  const calling = outcome(bus.call("slow", 1));
  await settle();
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown" });
  assert.equal((await calling).error.error, "session_lost");
});

test("calls end with the session", async () => {
  const { bus, clock } = await connected();
  const calling = outcome(bus.call("slow", 1));
  await settle();
  await bus.disconnect();
  assert.equal((await calling).error.error, "session_lost");
  assert.deepEqual(clock.delays, []);
});

test("a call that was not sent before the session was lost is sent in the new one", async () => {
  const { bus, server, clock } = await connected();
  server.socket.lose();
  server.sessions.clear();
  server.answer = answering({ data: "answer" });
  const calling = outcome(bus.call("echo", 1));
  await clock.advance(1_000);
  assert.deepEqual(await calling, { value: "answer" });
});
