// 200 messages, each sent as soon as the one before has left, and 200 in one batch.

import { Inbox, connect, createClient, disconnect, report, subscribe } from "./client.mjs";

const COUNT = 200;

const publisher = createClient();
const receiver = createClient({ cookies: false });
await connect(publisher);
await connect(receiver);

const single = new Inbox();
await subscribe(receiver, "/single", single.put);
for (let number = 0; number < COUNT; number += 1) {
  publisher.publish("/single", { number });
}
await single.wait(COUNT);
report("single", { numbers: single.data.map(({ number }) => number) });

const batched = new Inbox();
await subscribe(receiver, "/batched", batched.put);
publisher.batch(() => {
  for (let number = 0; number < COUNT; number += 1) {
    publisher.publish("/batched", { number });
  }
});
await batched.wait(COUNT);
report("batched", { numbers: batched.data.map(({ number }) => number) });

await Promise.all([disconnect(publisher), disconnect(receiver)]);
