// What the application publishes on the server reaches a client that only listens.

import { Inbox, call, connect, createClient, disconnect, report, subscribe } from "./client.mjs";

const client = createClient();
await connect(client);
const inbox = new Inbox();
await subscribe(client, "/ticker/*", inbox.put);
await call(client, "announce", { channel: "/ticker/orcl", count: 5 });
const messages = await inbox.wait(5);
report("delivered", { messages });
await disconnect(client);
