// From nothing to connected, and back: the answers as the client got them.

import { connect, createClient, disconnect, report } from "./client.mjs";

const client = createClient();
const started = performance.now();
const { handshake, connect: first } = await connect(client);
report("connected", {
  handshake,
  connect: first,
  seconds: (performance.now() - started) / 1000,
  transport: client.getTransport().type,
  clientId: client.getClientId(),
});

// The next connect is held by now, or about to be: the goodbye has to release it.
const reply = await disconnect(client);
report("disconnected", { reply, status: client.getStatus() });
