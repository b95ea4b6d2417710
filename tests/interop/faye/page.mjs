import { options, run } from "../battery/page.mjs";
import { FayeDriver } from "./driver.mjs";

await run(new FayeDriver(window.Faye, options));
