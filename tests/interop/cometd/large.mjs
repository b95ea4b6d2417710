// A message of 200 KB arrives whole. One beyond the server's limit fails, and the client goes on.

import { Inbox, connect, createClient, disconnect, publish, report, subscribe } from "./client.mjs";

const client = createClient({ maxSendBayeuxMessageSize: 8 * 1024 * 1024 });
await connect(client);
const inbox = new Inbox();
await subscribe(client, "/large", inbox.put);

// ASCII: the adapter for Node decodes HTTP chunks one by one and breaks characters that span two of them.
const text = "0123456789".repeat(20_000);
await publish(client, "/large", { text });
const [message] = await inbox.wait(1);
report("delivered", { length: message.data.text.length, intact: message.data.text === text });

const before = client.getClientId();
const { successful, failure } = await publish(client, "/large", { text: "x".repeat(4 * 1024 * 1024) });
report("refused", { successful, httpCode: failure.httpCode, websocketCode: failure.websocketCode });

// A WebSocket that carried too much is closed; the client opens another one for the same session.
while (!(await publish(client, "/large", { text: "small again" })).successful);
const messages = await inbox.wait(2);
report("recovered", { data: messages[1].data, sameSession: client.getClientId() === before });
await disconnect(client);
