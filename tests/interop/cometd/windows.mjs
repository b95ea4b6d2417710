// Two windows of one browser: with long-polling only one poll is held, the other window asks now and then.

import { Inbox, connect, createClient, disconnect, next } from "./client.mjs";
import { options, publish, report, subscribe } from "./client.mjs";

const windows = [createClient(), createClient()];
const advised = Promise.any(
  windows.map((client) => next(client, "/meta/connect", (reply) => reply.advice?.["multiple-clients"])),
);
for (const client of windows) {
  await connect(client);
}
// A browser without a limit on connections, or a WebSocket, needs no such advice.
if (options.transport === "long-polling") {
  report("advised", { advice: (await advised).advice });
}

const inboxes = windows.map(() => new Inbox());
for (const [index, client] of windows.entries()) {
  await subscribe(client, "/news", inboxes[index].put);
}
await publish(windows[0], "/news", "from the first");
await publish(windows[1], "/news", "from the second");
await Promise.all(inboxes.map((inbox) => inbox.wait(2)));
report("heard", { data: inboxes.map((inbox) => inbox.data) });
await Promise.all(windows.map(disconnect));
