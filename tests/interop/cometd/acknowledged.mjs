// With the ack extension an answer that is lost on the way is sent again: all messages arrive, once and in order.

import { AckExtension } from "cometd";
import { connect as open, createServer } from "node:net";
import { once } from "node:events";
import { Inbox, connect, createClient, disconnect, options, publish, report, subscribe } from "./client.mjs";

const COUNT = 20;

// A proxy that breaks the connection, once, when the server sends the text that is to be lost.
const { hostname, port, pathname } = new URL(options.url);
let lose = null;
let lost = 0;
const sockets = [];
const proxy = createServer((client) => {
  const server = open(Number(port), hostname);
  sockets.push(client);
  client.pipe(server);
  server.on("data", (data) => {
    if (lose !== null && data.includes(lose)) {
      lose = null;
      lost += 1;
      client.destroy();
    } else {
      client.write(data);
    }
  });
  client.on("error", () => {}).on("close", () => server.destroy());
  server.on("error", () => {}).on("close", () => client.destroy());
});
proxy.listen(0, "127.0.0.1");
await once(proxy, "listening");

const receiver = createClient({
  url: `http://127.0.0.1:${proxy.address().port}${pathname}`,
  backoffIncrement: 100,
  maxBackoff: 200,
});
receiver.registerExtension("ack", new AckExtension());
const { handshake } = await connect(receiver);
report("handshaken", { ack: handshake.ext?.ack });
const received = new Inbox();
await subscribe(receiver, "/news", received.put);

const publisher = createClient({ cookies: false });
await connect(publisher);
lose = '"number":5';
for (let number = 0; number < COUNT; number += 1) {
  await publish(publisher, "/news", { number });
}
await received.wait(COUNT);
report("received", { lost, numbers: received.data.map(({ number }) => number) });
await Promise.all([disconnect(publisher), disconnect(receiver)]);
proxy.close();
sockets.forEach((socket) => socket.destroy()); // connections that are kept alive would keep us too
