// Subscribe, publish and unsubscribe in one batch: done in the order in which they were written.

import { Inbox, connect, createClient, disconnect, overhear, publish, report, subscribe } from "./client.mjs";

const client = createClient();
await connect(client);

const heard = overhear(client, "/batch");
const replies = [];
await new Promise((resolve) => {
  client.batch(() => {
    client.publish("/batch", "before", (reply) => replies.push(reply));
    const subscription = client.subscribe("/batch", () => {}, (reply) => replies.push(reply));
    client.publish("/batch", "during", (reply) => replies.push(reply));
    client.unsubscribe(subscription, (reply) => replies.push(reply));
    client.publish("/batch", "after", (reply) => {
      replies.push(reply);
      resolve();
    });
  });
});
report("replies", { replies });

const fence = new Inbox();
await subscribe(client, "/fence", fence.put);
await publish(client, "/fence", "end");
await fence.wait(1);
report("heard", { data: heard.data });
await disconnect(client);
