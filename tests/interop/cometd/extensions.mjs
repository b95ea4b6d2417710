// The client's own extensions: the server's clock, stamps on messages, and binary data.

import { BinaryExtension, TimeStampExtension, TimeSyncExtension } from "cometd";
import { Inbox, connect, createClient, disconnect, report, subscribe } from "./client.mjs";

const client = createClient();
const timesync = new TimeSyncExtension();
client.registerExtension("timesync", timesync);
client.registerExtension("timestamp", new TimeStampExtension());
client.registerExtension("binary", new BinaryExtension());
await connect(client);
report("synchronised", { offset: timesync.getTimeOffset(), lag: timesync.getNetworkLag() });

const inbox = new Inbox();
await subscribe(client, "/file", inbox.put);
const bytes = Uint8Array.from({ length: 256 + 3 }, (_, index) => index % 256);
await new Promise((resolve) => client.publishBinary("/file", bytes, true, { name: "all" }, resolve));
const [{ data, timestamp }] = await inbox.wait(1);
report("binary", {
  intact: Buffer.compare(Buffer.from(data.data), Buffer.from(bytes)) === 0,
  last: data.last,
  meta: data.meta,
  timestamp: typeof timestamp,
});
await disconnect(client);
