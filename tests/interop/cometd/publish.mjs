// One client publishes, another one receives; the publisher hears itself only where it subscribed.

import { Inbox, connect, createClient, disconnect, publish, report, subscribe } from "./client.mjs";

const publisher = createClient();
const receiver = createClient({ cookies: false });
await connect(publisher);
await connect(receiver);

const received = new Inbox();
const { reply } = await subscribe(receiver, "/news", received.put);
report("subscribed", { reply });

report("published", { reply: await publish(publisher, "/news", { text: "hello" }) });
const [message] = await received.wait(1);
report("delivered", { message });

const own = new Inbox();
await subscribe(publisher, "/news", own.put);
await publish(publisher, "/news", { text: "again" });
await Promise.all([own.wait(1), received.wait(2)]);
report("echoed", { own: own.data, received: received.data });

await Promise.all([disconnect(publisher), disconnect(receiver)]);
