/** Compiled, never run (`tsc -p js`): what the declarations must accept, and what they must refuse. */
import { Ack, BayeuxError, Mirant, TimeSync } from "../../js/mirant.js";
import { BayeuxError as ErrorModule } from "../../js/mirant/requests.js";
import type { AckState, Delivery, Extension, Message, Sample, State, Subscription, TransportType } from "../../js/mirant.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <Claim extends true>(): Claim | void => {};

const clock = new TimeSync();
const stamp: Extension = { outgoing: (message) => ({ ...message, timestamp: "now" }), incoming: () => null };
const bus = new Mirant("/cometd", {
  transports: ["websocket", "long-polling"],
  extensions: [clock, stamp],
  backoff: { first: 500 },
  headers: { "X-Token": "t" },
  handshake: async () => ({ ext: { token: "t" } }),
});

is<Equal<typeof bus.state, State>>();
is<Equal<typeof bus.transport, TransportType | null>>();
is<Equal<typeof bus.clientId, string | null>>();
is<Equal<ReturnType<typeof bus.connect>, Promise<void>>>();

bus.addEventListener("state", ({ detail }) => {
  is<Equal<typeof detail.previous, State>>();
  is<Equal<typeof detail.error, BayeuxError | null>>();
});
bus.addEventListener("error", ({ detail }) => is<Equal<typeof detail.error, unknown>>());

const subscription = await bus.subscribe<{ text: string }>("/chat/*", (message) => {
  is<Equal<typeof message, Delivery<{ text: string }>>>();
  message.data.text.toUpperCase();
}, { signal: new AbortController().signal });
is<Equal<typeof subscription, Subscription>>();

const reply = await bus.publish("/chat/demo", { text: "hello" });
is<Equal<typeof reply, Message>>();
const answer = await bus.call<number>("sum", [1, 2], { timeout: 1_000 });
is<Equal<typeof answer, number>>();
const untyped = await bus.call("sum");
is<Equal<typeof untyped, unknown>>();
bus.listen("/service/news", ({ data }) => is<Equal<typeof data, unknown>>()).remove();
const batched = bus.batch(() => 42);
is<Equal<typeof batched, number>>();

new Mirant("/cometd", { shared: true, reload: true, transports: ["websocket", "long-polling", "callback-polling"] });
new Mirant("/cometd", { shared: "ann", extensions: [new Ack()] });
is<Equal<Ack["state"], AckState | null>>();
bus.addEventListener("windows", ({ detail }) => is<Equal<typeof detail.several, boolean>>());
bus.publish("/chat/demo", new Uint8Array(4).subarray(1));
bus.send({ channel: "/chat/demo", data: new ArrayBuffer(4), ext: { binary: { last: false, meta: { name: "a.txt" } } } });
bus.subscribe<Uint8Array>("/bytes", ({ data }) => is<Equal<typeof data, Uint8Array>>());

const sample = await clock.sample(bus);
is<Equal<typeof sample, Sample | null>>();
clock.addEventListener("sample", ({ detail }) => detail.lag.toFixed(1));

// The modules have what is declared.
const modules: [BayeuxError] = [new ErrorModule("402::session_unknown")];
modules.length;

const { code, args } = new BayeuxError("402::session_unknown", { channel: "/meta/connect" });
is<Equal<typeof code, number>>();
is<Equal<typeof args, string[]>>();

// @ts-expect-error a transport that does not exist
new Mirant("/cometd", { transports: ["carrier-pigeon"] });
// @ts-expect-error a share has a name, or is true
new Mirant("/cometd", { shared: 1 });
// @ts-expect-error the state is the bus's own
bus.state = "connected";
// @ts-expect-error data is unknown until its type is named
bus.subscribe("/chat/demo", ({ data }) => data.text);
// @ts-expect-error an extension returns a message, null or nothing
bus.publish("/chat/demo", 1).then((extension: Extension) => extension);
