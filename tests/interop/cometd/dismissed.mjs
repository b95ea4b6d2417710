// The application ends the session: the client must understand, and stay away.

import { connect, createClient, next, report } from "./client.mjs";

const client = createClient();
await connect(client);
const goodbye = next(client, "/meta/disconnect");
client.publish("/service/leave", {});
report("dismissed", { message: await goodbye, status: client.getStatus() });
