// A page that subscribes after each handshake, as every CometD application should, and then loses its session.
// The test does to the server, or to this process, what the scenario is about, and reads the report meanwhile.

import { Inbox, connect, createClient, disconnect, next, publish, report } from "./client.mjs";

// Quick to retry: the test waits for the second handshake.
const client = createClient({ backoffIncrement: 100, maxBackoff: 200 });
const inbox = new Inbox();
client.addListener("/meta/handshake", (reply) => {
  if (reply.successful) {
    client.subscribe("/news", inbox.put);
  }
});
client.addListener("/meta/connect", (reply) => {
  if (!reply.successful) {
    report("connect failed", { error: reply.error ?? null, advice: reply.advice ?? null });
  }
});

await connect(client);
const lost = client.getClientId();
await publish(client, "/news", "before");
await inbox.wait(1);
const again = next(client, "/meta/handshake", (reply) => reply.successful);
const subscribed = next(client, "/meta/subscribe", (reply) => reply.successful);
report("ready", { clientId: lost });

const reply = await again;
report("handshaken", { reestablish: reply.reestablish, sameSession: reply.clientId === lost });
await subscribed;
await publish(client, "/news", "after");
await inbox.wait(2);
report("recovered", { data: inbox.data });
await disconnect(client);
