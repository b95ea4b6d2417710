/** A session that goes on in the next page of its tab. Loaded for the option `reload`. */
import { nameOf, standingOf } from "./standing.js";

/**
 * Keeps the session for the next page.
 *
 * @param {T.Session} session
 */
export function keep(session) {
  const { settings: { window, now }, application: { names } } = session;
  window.sessionStorage?.setItem(nameOf(session), JSON.stringify({ ...standingOf(session), names, at: now() }));
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
  const { names, at, ...standing } = JSON.parse(text);
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
