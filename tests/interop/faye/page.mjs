import { options, run } from "../battery/page.mjs";
import { FayeDriver, clientOf } from "./driver.mjs";

await run(new FayeDriver(clientOf(window.Faye, options.url), options.transport));
