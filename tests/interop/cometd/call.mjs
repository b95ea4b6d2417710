// Remote calls: any JSON value there and back, failures, and many calls at once.

import { call, connect, createClient, disconnect, report } from "./client.mjs";

const VALUES = [null, false, 0, "", "text", 3.25, 9007199254740991, [], [1, [2, {}]], { a: { b: [null, true] } }];

const client = createClient();
await connect(client);

for (const value of VALUES) {
  const { successful, data } = await call(client, "echo", value);
  report("echoed", { value, successful, data });
}

const { successful, data } = await call(client, "fail", { please: true });
report("failed", { successful, data });

// Slower calls come first: each answer must find its own call, in whatever order they arrive.
const answers = await Promise.all(
  [...Array(50).keys()].map((number) => call(client, "later", { number, seconds: number % 2 ? 0 : 0.2 })),
);
report("concurrent", { numbers: answers.map((answer) => answer.data.number) });
await disconnect(client);
