for (const name of ["cometd", "cometd.ack", "cometd.timesync", "cometd.timestamp"]) {
  dojo.require("dojox." + name);
}
