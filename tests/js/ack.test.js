import assert from "node:assert/strict";
import { test } from "node:test";

import { Ack } from "../../js/mirant.js";
import { AckServer, FakeServer, LONG_POLLING, setUp, settle } from "./fakes.js";

const chat = (data) => ({ channel: "/chat", data });

async function connected(options) {
  const fixture = setUp({ server: new AckServer(), extensions: [new Ack()], ...options });
  const heard = [];
  await fixture.bus.connect();
  await fixture.bus.subscribe("/chat", ({ data }) => heard.push(data));
  await settle();
  return { ...fixture, heard };
}

const acks = (server) => server.messages("/meta/connect").map(({ ext }) => ext?.ack);

for (const options of [{}, LONG_POLLING]) {
  const transport = options.transports ?? "websocket";

  test(`the handshake asks for acknowledgements, and each connect has the last batch (${transport})`, async () => {
    const { server, heard } = await connected(options);
    await server.deliver(chat(1), chat(2));
    await server.deliver(chat(3));
    assert.deepEqual(server.messages("/meta/handshake")[0].ext, { ack: true });
    assert.deepEqual(acks(server), [0, 1, 2, 3]);
    assert.deepEqual(heard, [1, 2, 3]);
    assert.ok(server.messages().every(({ channel, ext }) => channel.startsWith("/meta/connect") || channel === "/meta/handshake" || !ext));
  });

  test(`what was lost with its connection comes again (${transport})`, async () => {
    const { bus, server, clock, heard } = await connected(options);
    server.way = "lost";
    await server.deliver(chat(1));
    server.way = "ok";
    await clock.advance(41_000); // the connect is given up, and sent again
    assert.equal(bus.state, "connected");
    assert.deepEqual(acks(server).slice(-2), [1, 3]);
    assert.deepEqual(heard, [1]);
  });
}

test("what comes again is given to listeners once, and what is new after it", async () => {
  const { server, clock, heard } = await connected();
  server.way = "cut";
  await server.deliver(chat(1), chat(2));
  server.way = "ok";
  server.waiting.push(chat(3));
  server.socket.lose();
  await clock.advance(1_000);
  await server.deliver(chat(4));
  assert.deepEqual(heard, [1, 2, 3, 4]);
});

test("also when the connection breaks again while they come", async () => {
  const { server, clock, heard } = await connected();
  server.way = "cut";
  await server.deliver(chat(1));
  server.waiting.push(chat(2));
  server.socket.lose();
  await clock.advance(1_000);
  server.way = "ok";
  server.socket.lose();
  await clock.advance(2_000);
  assert.deepEqual(heard, [1, 2]);
});

test("a handshake answer may name the batch to start from", async () => {
  const server = new FakeServer();
  server.answer = ({ channel }) => channel === "/meta/handshake" && { successful: true, clientId: "c", ext: { ack: { enabled: true, batch: 1 } } };
  server.sessions.add("c");
  await setUp({ server, extensions: [new Ack()] }).bus.connect();
  assert.deepEqual(acks(server).slice(0, 1), [1]);
});

test("a server without the extension gets connects without it", async () => {
  const server = new FakeServer();
  const ack = new Ack();
  const { bus } = setUp({ server, extensions: [ack] });
  await bus.connect();
  await settle();
  assert.deepEqual(acks(server), [undefined, undefined]);
  assert.equal(ack.state, null);
});

test("a new session starts from the beginning", async () => {
  const { server } = await connected();
  await server.deliver(chat(1));
  server.sessions.clear();
  await server.release([], { successful: false, error: "402::session_unknown", advice: { reconnect: "handshake" } });
  assert.deepEqual(acks(server).slice(-2), [0, 1]);
});
