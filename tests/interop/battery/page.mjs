// A battery in a page: options from its address, the report in `window.report`, where the test finds it.

import { battery } from "./battery.mjs";

/** `{url, transport}`, as the test wrote them after the question mark. */
export const options = Object.fromEntries(new URLSearchParams(location.search));

window.report = [];

/** Adds an event to the report. */
export function report(event, facts = {}) {
  window.report.push({ event, ...facts });
}

/** Runs a scenario; what it throws is reported, for nobody reads a page's console. */
export async function reporting(scenario) {
  try {
    await scenario();
    report("end");
  } catch (error) {
    report("error", { text: error?.stack ?? JSON.stringify(error) });
  }
}

/** Puts the driver's client through everything. */
export const run = (driver) => reporting(() => battery(driver, report));
