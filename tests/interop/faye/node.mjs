import { createRequire } from "node:module";
import { options, run } from "../battery/node.mjs";
import { FayeDriver, clientOf } from "./driver.mjs";

// The packages as package.json names them: the newest is called faye, those of old have their version.
const require = createRequire(import.meta.url);
const Faye = require(options.version === "1.4" ? "faye" : `faye${options.version}`);

await run(new FayeDriver(clientOf(Faye, options.url), options.transport));
