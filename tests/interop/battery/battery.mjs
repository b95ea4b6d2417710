// What every client is put through, whatever its interface: one subscription after another on one session, then
// a server that has forgotten it. A driver per client says how that client does each step.

/** How many messages must arrive in their order. */
const COUNT = 60;

/** How many go out together where requests may overtake each other. */
const BATCH = 15;

/** Messages in the order of their arrival. */
export class Inbox {
  #messages = [];
  #waiting = null;

  /** Takes a message; bound, so that it can be handed over as a listener. */
  put = (data, channel) => {
    this.#messages.push({ data, channel });
    if (this.#waiting && this.#messages.length >= this.#waiting.count) {
      this.#waiting.resolve();
      this.#waiting = null;
    }
  };

  /** The data of everything that has arrived. */
  get data() {
    return this.#messages.map(({ data }) => data);
  }

  /** Waits until `count` messages have arrived in all, and resolves with their data. */
  async wait(count) {
    if (this.#messages.length < count) {
      await new Promise((resolve) => (this.#waiting = { count, resolve }));
    }
    return this.data;
  }
}

/**
 * Puts a client through everything.
 *
 * `report(event, facts)` is called with what was seen. After "ready" the test restarts the server.
 *
 * A driver has `connect()`, which resolves once the session stands; `transport`; `overtakes`, true if the client
 * sends requests side by side, whose order nobody can tell; `subscribe(channel, listener)`, which resolves with what `unsubscribe` wants, and calls `listener(data)`; `keep(channel, listener)`, a
 * subscription that outlives its session, and `renewed(channel)`, which resolves when it has; `publish(channel,
 * data)`, `disconnect()`; and, if the client has them, `batch(action)` and `call(target, data)`. All promises are
 * rejected when the server says no.
 */
export async function battery(driver, report) {
  await driver.connect();
  await subscribe(driver, report);
  await wildcards(driver, report);
  await order(driver, report);
  if (driver.batch) {
    await batch(driver, report);
  }
  if (driver.call) {
    await calls(driver, report);
  }
  await unsubscribe(driver, report);
  await recover(driver, report);
  await driver.disconnect();
  report("disconnected");
}

async function subscribe(driver, report) {
  const inbox = new Inbox();
  await driver.subscribe("/plain", inbox.put);
  report("subscribed", { transport: driver.transport });
  await driver.publish("/plain", { text: "hällo €" });
  report("published", { data: await inbox.wait(1) });
}

async function wildcards(driver, report) {
  const inboxes = {};
  for (const pattern of ["/stocks/ny/*", "/stocks/**"]) {
    inboxes[pattern] = new Inbox();
    await driver.subscribe(pattern, inboxes[pattern].put);
  }
  const fence = new Inbox();
  await driver.subscribe("/fence", fence.put);
  for (const name of ["/stocks/ny/orcl", "/stocks/london/bp", "/stocks", "/bonds/ny/x"]) {
    await driver.publish(name, { name });
  }
  // Messages arrive in order: after the fence nothing can follow.
  await driver.publish("/fence", {});
  await fence.wait(1);
  const names = (inbox) => inbox.data.map(({ name }) => name);
  report("wildcards", { one: names(inboxes["/stocks/ny/*"]), many: names(inboxes["/stocks/**"]) });
}

async function order(driver, report) {
  const own = new Inbox();
  await driver.subscribe("/own", own.put);
  const publish = (number) => driver.publish("/own", { number });
  if (!driver.overtakes) {
    numbers(COUNT).forEach(publish);
  } else if (driver.batch) {
    for (let sent = 0; sent < COUNT; sent += BATCH) {
      driver.batch(() => numbers(BATCH).forEach((number) => publish(sent + number)));
      await own.wait(sent + BATCH);
    }
  } else {
    for (const number of numbers(COUNT)) {
      await publish(number);
    }
  }
  await own.wait(COUNT);
  const servers = new Inbox();
  await driver.subscribe("/servers", servers.put);
  await driver.publish("/service/announce", { channel: "/servers", count: COUNT });
  await servers.wait(COUNT);
  const plain = (inbox) => inbox.data.map(({ number }) => number);
  report("ordered", { own: plain(own), servers: plain(servers) });
}

async function batch(driver, report) {
  const inbox = new Inbox();
  await driver.subscribe("/batch", inbox.put);
  driver.batch(() => {
    for (const number of numbers(10)) {
      driver.publish("/batch", { number });
    }
  });
  await inbox.wait(10);
  report("batched", { numbers: inbox.data.map(({ number }) => number) });
}

async function calls(driver, report) {
  const echoed = await driver.call("echo", { a: [null, true, "ü", { b: 1.5 }] });
  const failed = await driver.call("fail", {});
  report("called", { echoed, failed });
}

async function unsubscribe(driver, report) {
  const [inbox, fence] = [new Inbox(), new Inbox()];
  const subscription = await driver.subscribe("/short", inbox.put);
  await driver.subscribe("/fence/short", fence.put);
  await driver.publish("/short", { text: "while subscribed" });
  await inbox.wait(1);
  await driver.unsubscribe(subscription);
  await driver.publish("/short", { text: "after that" });
  await driver.publish("/fence/short", {});
  await fence.wait(1);
  report("unsubscribed", { data: inbox.data });
}

async function recover(driver, report) {
  const inbox = new Inbox();
  await driver.keep("/kept", inbox.put);
  await driver.publish("/kept", { text: "before" });
  await inbox.wait(1);
  const renewed = driver.renewed("/kept");
  report("ready");
  await renewed;
  await driver.publish("/kept", { text: "after" });
  report("recovered", { data: await inbox.wait(2) });
}

const numbers = (count) => [...Array(count).keys()];
