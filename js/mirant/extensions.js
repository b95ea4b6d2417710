/** Extensions: ack, timesync, and binary, which every bus has. */

export class Ack {
  /** @type {T.AckState | null} */ state = null;
  #again = 0;

  outgoing(message) {
    const { channel, advice, ext } = message;
    const handshake = channel === "/meta/handshake";
    if (handshake) this.state = null;
    else if (channel !== "/meta/connect" || !this.state) return;
    else if (advice) this.#again = this.state.seen;
    message.ext = { ...ext, ack: this.state?.batch ?? true };
  }

  incoming({ channel, successful, ext, ...fields }) {
    const ack = ext?.ack;
    if (channel === "/meta/handshake" && successful && ack) this.state = { batch: ack.batch ?? 0, seen: 0 };
    else if (!this.state) return;
    else if (channel === "/meta/connect" && successful && typeof ack === "number") {
      this.state = { batch: ack, seen: 0 };
      this.#again = 0;
    } else if ("data" in fields) {
      if (!this.#again) this.state.seen++;
      else if (this.#again--) return null;
    }
    return undefined;
  }

  resume(state) {
    this.#again = 0;
    if (state?.batch !== this.state?.batch) this.state = state;
    else if (this.state) this.#again = this.state.seen;
  }
}

export class TimeSync extends EventTarget {
  /** @type {T.Sample[]} */ #samples = [];
  #now;

  constructor({ now = Date.now } = {}) {
    super();
    this.#now = now;
  }

  get samples() {
    return [...this.#samples];
  }

  get offset() {
    return this.#estimate("offset");
  }

  get lag() {
    return this.#estimate("lag");
  }

  serverTime() {
    return this.#now() + this.offset;
  }

  serverDate() {
    return new Date(this.serverTime());
  }

  async sample(bus) {
    const before = this.#samples.at(-1);
    await bus.send({ channel: "/meta/subscribe", subscription: "/service/timesync", ext: { timesync: {} } }).catch((error) => {
      if (!error.reply) throw error;
    });
    const sample = this.#samples.at(-1);
    return sample && sample !== before ? sample : null;
  }

  outgoing(message) {
    if (!message.channel.startsWith("/meta/")) return;
    const known = message.ext?.timesync ? {} : { l: Math.round(this.lag), o: Math.round(this.offset) };
    message.ext = { ...message.ext, timesync: { tc: this.#now(), ...known } };
  }

  incoming(message) {
    const { channel, ext } = message;
    const { tc, ts, p } = ext?.timesync ?? {};
    if (!channel.startsWith("/meta/") || typeof tc !== "number" || typeof ts !== "number" || typeof p !== "number") return;
    const at = this.#now();
    const lag = Math.max(0, (at - tc - p) / 2);
    const offset = ts - tc - lag;
    const agreeing = this.#samples.filter((old) => Math.abs(old.offset - offset) <= old.lag + lag + 50);
    const sample = { offset, lag, at };
    this.#samples = [...agreeing, sample].slice(-10);
    this.dispatchEvent(new CustomEvent("sample", { detail: sample }));
  }

  #estimate(key) {
    const best = this.samples.sort((a, b) => a.lag - b.lag).slice(0, Math.ceil(this.#samples.length / 2));
    return best.reduce((sum, sample) => sum + sample[key], 0) / (best.length || 1);
  }
}

const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** @param {Uint8Array} bytes */
const encode = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let value = 0;
    let group = "";
    for (let n = at; n < at + 4; n++) value = value * 256 + (bytes[n] ?? 0);
    for (; group.length < 5; value = Math.floor(value / 85)) group = Z85[value % 85] + group;
    text += group.slice(0, bytes.length - at + 1);
  }
  return text;
};

/** @param {string} text */
const decode = (text) => {
  const bytes = new Uint8Array((text.length * 4) / 5);
  for (let at = 0; at < text.length; at += 5) {
    let value = 0;
    for (let n = at; n < at + 5; n++) {
      const digit = Z85.indexOf(text[n] ?? "#");
      value = digit < 0 ? NaN : value * 85 + digit;
    }
    if (!(value < 2 ** 32) || at + 1 === text.length) throw new TypeError("binary data is not Z85");
    for (let n = 0; n < 4; n++) bytes[(at / 5) * 4 + n] = value >>> (24 - 8 * n);
  }
  return bytes;
};

export const pack = (message) => {
  const { data, ext } = message;
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!ArrayBuffer.isView(view)) return message;
  const text = encode(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return { ...message, data: { last: true, ...ext?.binary, data: text }, ext: { ...ext, binary: {} } };
};

export const unpack = (message) => {
  if (!message.ext?.binary) return;
  const { data, ...binary } = message.data;
  if (typeof data !== "string") throw new TypeError("binary data is not text");
  message.data = decode(data);
  message.ext = { ...message.ext, binary };
};
