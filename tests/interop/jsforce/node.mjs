// jsforce, the library for Salesforce, gives its users a client of Faye's that speaks to the streaming API.

import { createRequire } from "node:module";
import { options, run } from "../battery/node.mjs";
import { FayeDriver } from "../faye/driver.mjs";

const { Connection } = createRequire(import.meta.url)("jsforce");

// It appends the path of the streaming API, /cometd/59.0.
const connection = new Connection({
  instanceUrl: options.url.replace(/\/cometd$/, ""),
  accessToken: "a token",
  version: "59.0",
});

await run(new FayeDriver(connection.streaming.createClient(), options.transport));
