/**
 * Text between a page and the chat. The bus's filter writes `<` and `>` as entities for everybody; `&` is written so
 * here, or an entity that somebody typed would be read as the character it names.
 *
 * What comes out of here is text. It goes into the page as `textContent`, never as HTML.
 */

/** @type {Record<string, string>} */
const CHARACTERS = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/**
 * @param {string} typed
 * @returns {string} what to send
 */
export const toWire = (typed) => typed.replaceAll("&", "&amp;");

/**
 * @param {string} received
 * @returns {string} what was typed
 */
export const fromWire = (received) => received.replace(/&(?:lt|gt|amp);/g, (entity) => CHARACTERS[entity] ?? entity);

/**
 * @template {object} T
 * @param {T} data of a message
 * @returns {T} the same, its texts as they were typed
 */
export const messageFromWire = (data) =>
  /** @type {T} */ (Object.fromEntries(Object.entries(data).map(([key, value]) => [key, typeof value === "string" ? fromWire(value) : value])));
