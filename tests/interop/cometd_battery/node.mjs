import { createRequire } from "node:module";
import { options, run } from "../battery/node.mjs";
import { CometDDriver } from "./driver.mjs";

// The packages as package.json names them: those of old are CommonJS, and so is the adapter that they work with.
const require = createRequire(import.meta.url);
const latest = options.version === "9";
const adapter = latest ? await import("cometd-nodejs-client") : require("cometd-nodejs-client1");
adapter.adapt();
const { CometD } = latest ? await import("cometd") : require(`cometd${options.version}`);

await run(new CometDDriver(CometD, options));
