// After the reply to an unsubscribe nothing of that channel arrives any more.

import { Inbox, connect, createClient, disconnect, overhear } from "./client.mjs";
import { publish, report, subscribe, unsubscribe } from "./client.mjs";

const client = createClient();
await connect(client);
const heard = overhear(client, "/news");
const fence = new Inbox();
const { subscription } = await subscribe(client, "/news", () => {});
await subscribe(client, "/fence", fence.put);

await publish(client, "/news", "while subscribed");
report("unsubscribed", { reply: await unsubscribe(client, subscription) });
await publish(client, "/news", "after that");
await publish(client, "/fence", "end");
await fence.wait(1);
report("heard", { data: heard.data });
await disconnect(client);
