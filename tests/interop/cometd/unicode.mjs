// Text beyond ASCII arrives as it was sent, published and called.

import { Inbox, call, connect, createClient, disconnect, publish, report, subscribe } from "./client.mjs";

const TEXTS = [
  "Grüße aus Zürich",
  "日本語のメッセージ",
  "مرحبا",
  "🎉👩‍👩‍👧‍👦",
  "line\u2028and\u2029paragraph separators",
  'quotes " and \\ backslashes / and slashes',
  "control \u0000 \u0007 \u001f characters",
  "\ufeffbyte order mark",
];

const client = createClient();
await connect(client);
const inbox = new Inbox();
await subscribe(client, "/text", inbox.put);
for (const [index, text] of TEXTS.entries()) {
  await publish(client, "/text", { text });
  const messages = await inbox.wait(index + 1);
  const answer = await call(client, "echo", { text });
  report("text", { sent: text, published: messages[index].data.text, called: answer.data.text });
}
await disconnect(client);
