import { CometD } from "/node_modules/cometd/cometd.js";
import { options, run } from "../battery/page.mjs";
import { CometDDriver } from "./driver.mjs";

await run(new CometDDriver(CometD, options));
