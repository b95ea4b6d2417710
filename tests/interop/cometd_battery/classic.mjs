// Up to version 7 the client is a script that defines `org.cometd`.

import { options, run } from "../battery/page.mjs";
import { CometDDriver } from "./driver.mjs";

await run(new CometDDriver(window.org.cometd.CometD, options));
