/**
 * A clock that runs while the page is hidden: browsers let its own timers fire once in a second, later once in a minute,
 * and by then the server has given up a session that should have polled. The timers of a worker are not slowed down.
 *
 * This module is the page's part and the worker's. Loaded when a page is first hidden. Where there can be no worker (a
 * Content-Security-Policy forbids it, or the module is from another origin) the page's own timers go on.
 */

/** The name by which this module knows that it runs as the worker. */
const NAME = "mirant clock";

/** The worker's part: says the number of a timer when its time has come. @param {any} scope */
function tick(scope) {
  const timers = new Map();
  scope.onmessage = (/** @type {MessageEvent} */ { data: { timer, delay } }) => {
    clearTimeout(timers.get(timer));
    timers.delete(timer);
    if (delay === undefined) return;
    timers.set(timer, setTimeout(() => {
      timers.delete(timer);
      scope.postMessage(timer);
    }, delay));
  };
}

const scope = /** @type {any} */ (globalThis);
if (scope.name === NAME && !scope.document) tick(scope);

/** A timer that the worker has. */
class Remote {
  /** @param {number} number @param {() => void} callback @param {number} delay */
  constructor(number, callback, delay) {
    this.number = number;
    this.callback = callback;
    this.delay = delay;
    /** The page's own timer, once the worker has failed. @type {unknown} */
    this.own = null;
  }
}

/**
 * Lets timers that are set while the page is hidden be a worker's, until the session ends.
 *
 * @param {T.Settings} settings
 * @param {AbortSignal} signal the session has ended
 */
export function keepTime(settings, signal) {
  const { setTimeout, clearTimeout, window: { document, Worker } } = settings;
  if (signal.aborted || !Worker) return;
  const worker = new Worker(import.meta.url, { type: "module", name: NAME });
  /** @type {Map<number, Remote>} */
  const timers = new Map();
  let last = 0;
  let works = true;

  worker.onmessage = ({ data }) => {
    const timer = timers.get(data);
    timers.delete(data);
    timer?.callback();
  };

  const stop = () => {
    works = false;
    worker.terminate();
    for (const timer of timers.values()) timer.own = setTimeout(timer.callback, timer.delay);
    timers.clear();
  };
  worker.onerror = stop;

  settings.setTimeout = (callback, delay) => {
    if (!works || !document?.hidden) return setTimeout(callback, delay);
    const timer = new Remote(++last, callback, delay);
    timers.set(last, timer);
    worker.postMessage({ timer: last, delay });
    return timer;
  };

  settings.clearTimeout = (timer) => {
    if (!(timer instanceof Remote)) return clearTimeout(timer);
    clearTimeout(timer.own);
    if (timers.delete(timer.number)) worker.postMessage({ timer: timer.number });
  };

  signal.addEventListener("abort", () => {
    stop();
    Object.assign(settings, { setTimeout, clearTimeout });
  });
}
