import Faye from "faye";
import { options, run } from "../battery/node.mjs";
import { FayeDriver } from "./driver.mjs";

await run(new FayeDriver(Faye, options));
