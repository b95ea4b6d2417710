/**
 * Binary data as text in Z85 (ZeroMQ RFC 32), as the extension "binary" has it. Loaded when some is sent or comes.
 */

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

/**
 * Returns a message with its bytes as text.
 *
 * @param {T.Message} message
 * @returns {T.Message}
 */
export function pack(message) {
  const { data, ext } = /** @type {T.Message & { ext: any }} */ (message);
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!ArrayBuffer.isView(view)) return message;
  const text = encode(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return { ...message, data: { last: true, ...ext?.binary, data: text }, ext: { ...ext, binary: {} } };
}

/**
 * Makes bytes of the text in a message.
 *
 * @param {T.Message} message
 */
export function unpack(message) {
  const { data, ...binary } = /** @type {any} */ (message.data);
  if (typeof data !== "string") throw new TypeError("binary data is not text");
  message.data = decode(data);
  message.ext = { ...message.ext, binary };
}
