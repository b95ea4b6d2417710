// A page that is loaded twice goes on with its session.

import { CometD } from "/node_modules/cometd/cometd.js";
import { ReloadExtension } from "/node_modules/cometd/ReloadExtension.js";
import { Inbox } from "../battery/battery.mjs";
import { options, report, reporting } from "../battery/page.mjs";
import { CometDDriver } from "./driver.mjs";

const driver = new CometDDriver(CometD, options);
const { client } = driver;
client.registerExtension("reload", new ReloadExtension());
client.addListener("/meta/handshake", ({ clientId, ext }) => {
  report("handshaken", { clientId, reloaded: ext?.reload ?? false });
});
window.addEventListener("beforeunload", () => client.reload());

await reporting(async () => {
  await driver.connect();
  const inbox = new Inbox();
  await driver.subscribe("/reloaded", inbox.put);
  await driver.publish("/reloaded", { text: "here" });
  report("received", { data: await inbox.wait(1) });
});
