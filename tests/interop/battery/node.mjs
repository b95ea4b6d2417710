// A battery under Node.js: options from the command line, the report as JSON lines on standard output.

import { battery } from "./battery.mjs";
import { parseArgs } from "node:util";

// Standard output belongs to the report; what a client logs goes to standard error.
console.log = console.info = console.debug = console.error;

export const { values: options } = parseArgs({
  options: { url: { type: "string" }, transport: { type: "string" }, version: { type: "string" } },
});

/** Puts the driver's client through everything, and ends the process: some clients leave timers behind. */
export async function run(driver) {
  await battery(driver, (event, facts = {}) => {
    process.stdout.write(JSON.stringify({ event, ...facts }) + "\n");
  });
  process.stdout.end(() => process.exit(0));
}
