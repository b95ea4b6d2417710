// Overlapping subscriptions: each listener hears each message once, whichever pattern let it through.

import { Inbox, connect, createClient, disconnect, publish, report, subscribe } from "./client.mjs";

const PATTERNS = ["/stocks/ny/orcl", "/stocks/ny/*", "/stocks/**"];

const client = createClient();
await connect(client);
const inboxes = {};
for (const pattern of PATTERNS) {
  inboxes[pattern] = new Inbox();
  const { reply } = await subscribe(client, pattern, inboxes[pattern].put);
  report("subscribed", { reply });
}
const fence = new Inbox();
await subscribe(client, "/fence", fence.put);

for (const channel of ["/stocks/ny/orcl", "/stocks/ny/ibm", "/stocks/london/bp", "/stocks", "/bonds/ny/x"]) {
  await publish(client, channel, channel);
}
// Messages arrive in order: after the fence nothing can follow.
await publish(client, "/fence", "end");
await fence.wait(1);
for (const pattern of PATTERNS) {
  report("heard", { pattern, channels: inboxes[pattern].data });
}
await disconnect(client);
