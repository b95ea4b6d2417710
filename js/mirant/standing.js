/** What a session is called, and how things are with it: for the next page, and for other windows. */

/**
 * Returns the name by which pages and windows find a session that they share.
 *
 * @param {T.Session} session
 */
export function nameOf({ settings: { shared, url } }) {
  return `mirant ${typeof shared === "string" ? shared : String(url).replace(/\/$/, "")}`;
}

/**
 * @param {T.Session} session
 * @returns {T.Standing}
 */
export function standingOf({ state, clientId, advice, link: { ready, type }, settings: { ack } }) {
  return { state, ready, type, clientId, advice, ack: ack?.state ?? null };
}
