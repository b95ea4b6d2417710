// The battery with the client's extensions, which dojox.cometd takes when they are loaded.

import { battery } from "../battery/battery.mjs";
import { options, report, reporting } from "../battery/page.mjs";
import { DojoxDriver } from "./driver.mjs";

const { cometd } = window.dojox;
const driver = new DojoxDriver(window, options);

const acknowledged = [];
const stamps = new Set();
let negotiated = null;
cometd._extendInList.push((message) => {
  if (message.channel === "/meta/handshake") {
    negotiated = message.ext?.ack ?? null;
    acknowledged.length = 0; // the numbers begin anew
  }
  if (message.channel === "/meta/connect" && message.successful && message.ext?.ack !== undefined) {
    acknowledged.push(message.ext.ack);
  }
  stamps.add(typeof message.timestamp);
  return message;
});

await reporting(async () => {
  await battery(driver, report);
  const { offset, lag, samples } = cometd.timesync;
  report("extensions", { negotiated, acknowledged, stamps: [...stamps], offset, lag, samples });
});
