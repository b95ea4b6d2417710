import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { connected, settle } from "./fakes.js";

const VECTORS = JSON.parse(readFileSync(new URL("../vectors/z85.json", import.meta.url), "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));

async function listening() {
  const fixture = await connected();
  const heard = [];
  await fixture.bus.subscribe("/bytes", (message) => heard.push(message));
  return { ...fixture, heard, deliver: (data) => fixture.server.push({ channel: "/bytes", data, ext: { binary: {} } }) };
}

test("bytes of every length go out as Z85", async () => {
  const { bus, server } = await connected();
  await Promise.all(VECTORS.map(({ hex }) => bus.publish("/bytes", bytes(hex))));
  assert.deepEqual(server.messages("/bytes").map(({ data, ext }) => ({ data, ext })), VECTORS.map(({ text }) => ({ data: { data: text, last: true }, ext: { binary: {} } })));
});

test("and come in as a Uint8Array", async () => {
  const { heard, deliver } = await listening();
  for (const { text } of VECTORS) await deliver({ data: text, last: true });
  assert.deepEqual(heard.map(({ data }) => data), VECTORS.map(({ hex }) => bytes(hex)));
  assert.ok(heard.every(({ data }) => data instanceof Uint8Array));
});

test("of a view only the part it shows is sent", async () => {
  const { bus, server } = await connected();
  const { buffer } = Uint8Array.from([1, 0x86, 0x4f, 0xd2, 0x6f, 1]);
  for (const data of [new Uint8Array(buffer, 1, 4), new DataView(buffer, 1, 4), new Uint8Array(buffer).subarray(1, 5), buffer.slice(1, 5)]) {
    await bus.publish("/bytes", data);
  }
  assert.deepEqual(server.messages("/bytes").map(({ data }) => data.data), ["Hello", "Hello", "Hello", "Hello"]);
});

test("ext.binary has what is told of the data", async () => {
  const { heard, deliver } = await listening();
  await deliver({ data: "Hello", last: false, meta: { name: "a.txt" } });
  assert.deepEqual(heard[0].ext, { binary: { last: false, meta: { name: "a.txt" } } });
});

test("parts with meta data are sent in the same shape, and other extensions stay", async () => {
  const { bus, server } = await connected();
  await bus.send({ channel: "/bytes", data: bytes("86"), ext: { token: 1, binary: { last: false, meta: { part: 1 } } } });
  const { data, ext } = server.messages("/bytes")[0];
  assert.deepEqual([data, ext], [{ data: "H5", last: false, meta: { part: 1 } }, { token: 1, binary: {} }]);
});

test("calls take and give binary data", async () => {
  const { bus, server } = await connected();
  server.answer = ({ channel, data, ext }) => channel === "/service/echo" && [{ data, ext, successful: true }, { successful: true }];
  assert.deepEqual(await bus.call("echo", bytes("864fd2")), bytes("864fd2"));
});

test("an extension sees what is on the wire", async () => {
  const seen = [];
  const see = ({ channel, data }) => void (channel === "/bytes" && seen.push(data?.data));
  const { bus, server } = await connected({ extensions: [{ outgoing: see, incoming: see }] });
  await bus.publish("/bytes", bytes("86"));
  await server.push({ channel: "/bytes", data: { data: "Hed", last: true }, ext: { binary: {} } });
  assert.deepEqual(seen, ["H5", undefined, "Hed"]);
});

for (const data of [{ data: "Hell\u00f6" }, { data: "\"ello" }, { data: "#####" }, { data: "HelloW" }, { data: 5 }, null, "Hello"]) {
  test(`what says it is binary and is not is reported, and given as it came (${JSON.stringify(data)})`, async () => {
    const { heard, deliver, errors, bus } = await listening();
    await deliver(data);
    await settle();
    assert.deepEqual(heard.map((message) => message.data), [data]);
    assert.equal(errors.length, 1);
    assert.equal(bus.state, "connected");
  });
}

test("JSON that has a byteLength is JSON, both ways", async () => {
  const { bus, server, errors } = await connected();
  const heard = [];
  await bus.subscribe("/files", ({ data }) => heard.push(data));
  const files = [{ byteLength: 5 }, { byteLength: "12 kB", data: "Hello" }, { byteLength: -1 }, { byteLength: null }];
  await Promise.all(files.map((data) => bus.publish("/files", data)));
  for (const data of files) await server.push({ channel: "/files", data });
  assert.deepEqual(server.messages("/files").map(({ data }) => data), files);
  assert.deepEqual([heard, errors], [files, []]);
});
