/**
 * A session that goes on in the next page of its tab. Loaded for the option `reload`.
 *
 * A browser copies what a tab has stored for a tab that is opened from it. So the session has a ticket in storage that
 * all tabs share: whoever takes that first has the session.
 */
import { nameOf, standingOf } from "./standing.js";

/** Tickets that nobody took are removed when they are older. No server keeps a session for so long. */
const MAX_AGE = 86_400_000;

/**
 * Keeps the session for the next page; returns whether there was a place for it.
 *
 * @param {T.Session} session
 */
export function keep(session) {
  const { settings: { window, now, random }, application: { names } } = session;
  const name = nameOf(session);
  const ticket = `${name} ${random()}`;
  try {
    const { localStorage, sessionStorage } = window;
    if (!sessionStorage) return false;
    if (localStorage) {
      for (const other of Object.keys(localStorage)) {
        if (other.startsWith(`${name} `) && now() - Number(localStorage.getItem(other)) > MAX_AGE) localStorage.removeItem(other);
      }
      localStorage.setItem(ticket, String(now()));
    }
    sessionStorage.setItem(name, JSON.stringify({ ...standingOf(session), names, at: now(), ticket }));
    return true;
  } catch {
    return false; // it is forbidden, or full
  }
}

/**
 * Goes on with the session of the page before, if there is one and the server can still have it.
 *
 * Messages for subscriptions of that page come at once, so they are kept for the subscriptions that this page will
 * make. After `maxNetworkDelay` those that it has not made end.
 *
 * @param {T.Session} session
 */
export function resume(session) {
  const { settings: { window, now, maxNetworkDelay, setTimeout, ack }, application, link } = session;
  const name = nameOf(session);
  const text = window.sessionStorage?.getItem(name);
  if (!text) return;
  window.sessionStorage?.removeItem(name); // a copy of this page must not have it too
  const { names, at, ticket, ...standing } = JSON.parse(text);
  const { localStorage } = window;
  if (localStorage && !localStorage.getItem(ticket)) return;
  localStorage?.removeItem(ticket);
  const most = standing.advice.maxInterval;
  if (most > 0 && now() - at > most) return;
  session.adopt(standing);
  link.prefer(standing.type);
  ack?.resume(standing.ack);
  application.wait(true);
  setTimeout(() => {
    application.wait(false);
    if (standing.clientId === session.clientId) application.bury(names);
  }, maxNetworkDelay);
}
