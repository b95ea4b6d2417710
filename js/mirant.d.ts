/** Types of mirant.js: the browser client of Mirant, and of any Bayeux 1.0 server. All times are milliseconds. */

export type TransportType = "websocket" | "long-polling";

/**
 * - `disconnected`: not started, ended by `disconnect()`, by the server, or by leaving the page
 * - `connecting`: `connect()` was called and has not succeeded yet
 * - `connected`: there is a session and its transport works
 * - `interrupted`: it was connected and is being restored, without end and by itself
 */
export type State = "disconnected" | "connecting" | "connected" | "interrupted";

/** How the server wants clients to behave (Bayeux, "advice"). */
export interface Advice {
  reconnect?: "retry" | "handshake" | "none";
  /** Pause before the next /meta/connect. */
  interval?: number;
  /** How long the server holds a /meta/connect. */
  timeout?: number;
  /** How long a session outlives its last /meta/connect, besides `interval`; 0 when the server does not say. */
  maxInterval?: number;
  /** Another window of this browser holds the long poll, so this one only polls from time to time. */
  "multiple-clients"?: boolean;
}

/** Any message, as on the wire. */
export interface Message {
  channel: string;
  id?: string;
  clientId?: string;
  data?: unknown;
  ext?: Record<string, unknown>;
  advice?: Advice;
  successful?: boolean;
  /** `code:args:error`, in replies that are not successful. */
  error?: string;
  subscription?: string | string[];
  connectionType?: string | undefined;
  supportedConnectionTypes?: readonly string[];
  version?: string;
  minimumVersion?: string;
  timestamp?: string;
  [field: string]: unknown;
}

/** A message published on a channel, or sent to this client alone. */
export interface Delivery<T = unknown> extends Message {
  data: T;
}

export interface Subscription {
  readonly channel: string;
  /** Ends it; the last listener of a channel ends the subscription on the server. Calling it again does nothing more. */
  unsubscribe(): Promise<void>;
}

/**
 * Sees every message: incoming in the order of registration, outgoing in reverse.
 * Change the message, or return another one; `null` drops it, and a dropped request rejects with 404::message_deleted.
 */
export interface Extension {
  outgoing?(message: Message): Message | null | void;
  incoming?(message: Message): Message | null | void;
}

export interface Backoff {
  /** Delay before the second attempt; doubled for each one after it. Default 1000. */
  first?: number;
  /** Default 30000. */
  max?: number;
  /** Share of a delay that chance may take off, 0 to 1. Default 0.5. */
  jitter?: number;
}

export interface MirantOptions {
  /** In order of preference. Default `["websocket", "long-polling"]`. */
  transports?: TransportType[];
  extensions?: Extension[];
  /** How long a reply may take beyond the time the server said it holds a /meta/connect. Default 10000. */
  maxNetworkDelay?: number;
  backoff?: Backoff;
  /** Default for `call()`: 10000. */
  callTimeout?: number;
  /** How many messages wait for a transport before `publish()`, `call()` and `send()` reject. Default 1000. */
  maxQueue?: number;
  /** Of long-polling requests; a browser's WebSocket cannot send any. */
  headers?: Record<string, string>;
  /** Of long-polling requests. Default `"same-origin"`; a bus on another origin needs `"include"` for its cookie. */
  credentials?: RequestCredentials;
  /** More fields of the handshake message, such as `{ext: {token}}`; a function is asked at each handshake. */
  handshake?: Record<string, unknown> | (() => Record<string, unknown> | Promise<Record<string, unknown>>);

  // What tests put in the place of the globals.
  fetch?: (input: string, init: RequestInit) => Promise<Response>;
  WebSocket?: new (url: string) => WebSocket;
  setTimeout?: (callback: () => void, delay: number) => unknown;
  clearTimeout?: (timer: unknown) => void;
  now?: () => number;
  random?: () => number;
  window?: Pick<EventTarget, "addEventListener">;
}

/** What a transport tells its bus. */
export interface Host {
  receive(messages: Message[]): void;
  /** These messages got no reply; without `messages`: the transport is broken. */
  fail(why: string, messages?: Message[]): void;
  /** `idle` became true. */
  drain(): void;
}

/** A way to move messages; it knows nothing of sessions. */
export interface Transport {
  /** Whether it takes another array now. A /meta/connect or /meta/handshake, alone in its array, is always taken. */
  readonly idle: boolean;
  /** Rejects when it cannot carry messages here. */
  open(): Promise<void>;
  send(body: string, messages: Message[]): void;
  /** Sends the farewell, if there is one; the host ignores what it tells from now on. */
  close(farewell?: string): void;
}

export interface StateDetail {
  state: State;
  previous: State;
  transport: TransportType | null;
  /** Why, for people and logs; empty when connecting and connected. */
  reason: string;
  error: BayeuxError | null;
}

export interface MirantEventMap {
  state: CustomEvent<StateDetail>;
  error: CustomEvent<{ error: unknown }>;
}

/**
 * One session with a bus.
 *
 * Event `state`: the state changed. Event `error`: what no promise can tell, such as a listener that threw, a
 * subscription refused when it was restored, or a first connect that fails and is tried again. The console shows
 * such errors too, unless `preventDefault()` is called.
 */
export class Mirant extends EventTarget {
  /**
   * @param url of the bus, relative to the page or absolute
   * @throws TypeError for what is no http or https URL, and for an unknown transport
   */
  constructor(url: string | URL, options?: MirantOptions);

  readonly state: State;
  /** The transport in use; null while none works. */
  readonly transport: TransportType | null;
  /** The name of the session on the server; null while there is none. */
  readonly clientId: string | null;
  /** What the server last advised. */
  readonly advice: Advice;

  /**
   * Handshakes and keeps the session until `disconnect()`. Resolves when the first /meta/connect succeeded.
   * Network failures are retried without end; rejects with BayeuxError when the server refuses and advises `none`.
   */
  connect(): Promise<void>;

  /** Ends the session after sending what is queued. Subscriptions outlive it: `connect()` restores them. */
  disconnect(): Promise<void>;

  /**
   * Subscribes a listener to a channel, or to a pattern ending in `*` (one segment) or `**` (one or more).
   * Listeners of one channel share one subscription on the server, restored by itself in a new session.
   * Rejects with BayeuxError, and forgets the listeners of that channel, when the server refuses.
   *
   * @param options.signal unsubscribes when aborted
   */
  subscribe<T = unknown>(channel: string, listener: (message: Delivery<T>) => unknown, options?: { signal?: AbortSignal }): Promise<Subscription>;

  /**
   * Publishes; resolves with the server's reply. What is published before the session is up, or while it is
   * interrupted, waits for it.
   *
   * Rejects with BayeuxError: a 4xx code from the server; `0:…:transport_failed` when the transport broke before the
   * reply (it may or may not have been published); `0:1000:queue_full`; `0::disconnected` after the session ended.
   */
  publish(channel: string, data: unknown): Promise<Message>;

  /**
   * Calls a remote procedure (channel `/service/<target>`); resolves with the data of its answer.
   *
   * Rejects as `publish()` does; with `406::timeout`, and then a call that was not sent yet never is; and when the
   * answer is unsuccessful: it is the error's `reply`, with its data.
   */
  call<T = unknown>(target: string, data?: unknown, options?: { timeout?: number }): Promise<T>;

  /** Listens without a subscription on the server: to messages of service channels, or to replies on meta channels. */
  listen<T = unknown>(channel: string, listener: (message: Delivery<T>) => unknown): { remove(): void };

  /** What the callback sends leaves in one array when it returns; a promise it returns is not waited for. */
  batch<T>(callback: () => T): T;

  /** For extensions: sends any message, with `id` and `clientId` added, and resolves with its reply. Rejects as `publish()` does. */
  send(message: Message): Promise<Message>;

  addEventListener<K extends keyof MirantEventMap>(type: K, listener: (event: MirantEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

/** A refusal by the server, or with code 0 and no `reply` a failure on the way to it. */
export class BayeuxError extends Error {
  /** @param text `code:args:error`, as on the wire */
  constructor(text: string, facts?: { channel?: string | undefined; reply?: Message | undefined; cause?: unknown });
  /** 4xx or 5xx; 0 when the error is not from the server. */
  readonly code: number;
  /** The last part: `session_unknown` in `402::session_unknown`. */
  readonly error: string;
  readonly args: string[];
  readonly channel: string | undefined;
  readonly reply: Message | undefined;
}

export interface Sample {
  /** Milliseconds to add to the local clock to get the server's. */
  offset: number;
  /** Milliseconds one way; also how far `offset` can be wrong. */
  lag: number;
  /** When it was taken, by the local clock. */
  at: number;
}

export interface TimeSyncEventMap {
  sample: CustomEvent<Sample>;
}

/**
 * The timesync extension: learns the server's clock and the network's lag from every meta message.
 * The estimate is the mean of the better half (least lag) of the last ten samples. Event `sample`: one more was taken.
 */
export class TimeSync extends EventTarget implements Extension {
  /** @param options.now the local clock, to which offsets refer; default `Date.now` as it is now */
  constructor(options?: { now?: () => number });
  /** Milliseconds to add to the local clock to get the server's; 0 before the first sample. */
  readonly offset: number;
  /** Milliseconds a message takes one way; 0 before the first sample. */
  readonly lag: number;
  /** The last ten at most, newest last. */
  readonly samples: Sample[];
  /** The server's clock now, in milliseconds since 1970. */
  serverTime(): number;
  serverDate(): Date;
  /** Takes a sample now, over a bus that has this extension; null when the server does not answer to timesync. */
  sample(bus: Mirant): Promise<Sample | null>;

  outgoing(message: Message): void;
  incoming(message: Message): void;

  addEventListener<K extends keyof TimeSyncEventMap>(type: K, listener: (event: TimeSyncEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

// ---- Inside mirant.js: for its own type check, not part of the API ------------------------------------------

/** @internal */
export type Options = Required<MirantOptions> & { backoff: Required<Backoff> };

/** @internal */
export interface Listener {
  callback: (message: Delivery<any>) => unknown; // each listener names its own type of data
}

/** A channel or pattern subscribed to on the server. @internal */
export interface Channel {
  name: string;
  listeners: Set<Listener>;
  ready: Promise<unknown>;
  pending: boolean;
}

/** A message that waits, in the queue or on the wire, for its reply. @internal */
export interface Request {
  message: Message;
  resolve: (reply: Message) => void;
  reject: (error: unknown) => void;
  /** Belongs to a subscription: to repeat it does no harm, so a broken transport does not end it. */
  kept?: Channel | undefined;
  /** The session it was sent in. */
  clientId?: string | null;
  /** The array it was sent in. */
  exchange?: Exchange;
}

/** An array on the wire: how many of its messages lack a reply, and the timer for them. @internal */
export interface Exchange {
  left: number;
  timer?: unknown;
}

/** @internal */
export interface Call {
  channel: string;
  /** The server has accepted it. */
  sent: boolean;
  settle: (error: unknown, answer?: any) => void;
}

/** From connect() to disconnect(). @internal */
export interface Life {
  events: AbortController;
  connected: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
  /** Since disconnect() was called. */
  left?: Promise<void>;
}
