// The battery with the client's extensions, then what each of them is for.

import { AckExtension } from "/node_modules/cometd/AckExtension.js";
import { BinaryExtension } from "/node_modules/cometd/BinaryExtension.js";
import { CometD } from "/node_modules/cometd/cometd.js";
import { TimeStampExtension } from "/node_modules/cometd/TimeStampExtension.js";
import { TimeSyncExtension } from "/node_modules/cometd/TimeSyncExtension.js";
import { battery } from "../battery/battery.mjs";
import { options, report, reporting } from "../battery/page.mjs";
import { CometDDriver } from "./driver.mjs";

const BYTES = Uint8Array.from({ length: 256 + 3 }, (_, index) => index % 256);

const driver = new CometDDriver(CometD, options);
const { client } = driver;
const timesync = new TimeSyncExtension();
client.registerExtension("ack", new AckExtension());
client.registerExtension("binary", new BinaryExtension());
client.registerExtension("timestamp", new TimeStampExtension());
client.registerExtension("timesync", timesync);

const acknowledged = [];
let samples = 0;
let negotiated = null;
client.addListener("/meta/handshake", ({ ext }) => {
  negotiated = ext?.ack ?? null;
  acknowledged.length = 0; // the numbers begin anew
});
client.addListener("/meta/connect", ({ successful, ext }) => successful && acknowledged.push(ext?.ack));
for (const channel of ["/meta/handshake", "/meta/connect"]) {
  client.addListener(channel, ({ ext }) => (samples += ext?.timesync ? 1 : 0));
}

await reporting(async () => {
  const { disconnect } = driver;
  driver.disconnect = async () => {
    await binary();
    await disconnect.call(driver);
  };
  await battery(driver, report);
  report("extensions", {
    negotiated,
    acknowledged: acknowledged.filter((number) => number !== undefined),
    offset: timesync.getTimeOffset(),
    samples,
  });
});

async function binary() {
  const delivery = new Promise((resolve) => {
    client.subscribe("/file", resolve, () => client.publishBinary("/file", BYTES, true, { name: "all" }));
  });
  const { data, timestamp } = await delivery;
  const intact = new Uint8Array(data.data).every((byte, index) => byte === BYTES[index]);
  report("binary", { intact: intact && data.data.byteLength === BYTES.length, last: data.last, meta: data.meta });
  report("stamped", { type: typeof timestamp });
}
