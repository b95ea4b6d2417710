/** Types of mirant.js: the browser client of Mirant, and of any Bayeux 1.0 server. All times are milliseconds. */

export type TransportType = "websocket" | "long-polling" | "callback-polling";

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
  /** Another window of this browser holds the long poll, so this one only polls from time to time. See event `windows`. */
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

/** The description of binary data, in `message.ext.binary`. */
export interface Binary {
  /** Whether this is the last part. Default when sending: true. */
  last?: boolean;
  /** Anything that the publisher says about the data. */
  meta?: Record<string, unknown>;
}

/**
 * A message published on a channel, or sent to this client alone.
 *
 * Binary `data` is a `Uint8Array`, and then `ext.binary` is a `Binary`. Data that is marked as binary and is not Z85 is
 * reported by the event `error`, and the message is delivered as it came.
 */
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

  /**
   * Leaving the page keeps the session instead of ending it, and the next page of this tab goes on with it, with
   * `connect()` of a bus with the same URL (one for each page). A page that does not come back leaves its session to
   * expire on the server. Default false.
   */
  reload?: boolean;
  /**
   * All windows of this origin with the same name (`true`: with the same URL) use one session over one connection.
   * `navigator.locks` and `BroadcastChannel` are needed (so https, or localhost); elsewhere each window connects for
   * itself. An `Ack` is added to the extensions. Default false.
   */
  shared?: boolean | string;

  // Tests set these in place of the globals.
  fetch?: (input: string, init: RequestInit) => Promise<Response>;
  WebSocket?: new (url: string) => WebSocket;
  setTimeout?: (callback: () => void, delay: number) => unknown;
  clearTimeout?: (timer: unknown) => void;
  now?: () => number;
  random?: () => number;
  window?: Page;
}

/** The parts of a window that the client uses. A worker or Node has fewer. */
export type Page = Pick<EventTarget, "addEventListener"> & { Worker?: typeof Worker; localStorage?: Storage } &
  Pick<typeof globalThis, "BroadcastChannel" | "navigator"> & { document?: Document; sessionStorage?: Storage };

/** What a transport reports to its bus. */
export interface Host {
  /** Resolves when they are dealt with, if that is not at once. */
  receive(messages: Message[]): void | Promise<void>;
  /** These messages got no reply; without `messages`: the transport is broken. */
  fail(why: string, messages?: Message[]): void;
  /** `idle` became true. */
  drain(): void;
  /** A part of an answer came. */
  progress(): void;
}

/** A way to move messages; it knows nothing of sessions. */
export interface Transport {
  /** Whether it takes another array now. A /meta/connect or /meta/handshake, alone in its array, is always taken. */
  readonly idle: boolean;
  /** Rejects when it cannot carry messages here. @param proven one of its kind has carried some */
  open(proven?: boolean): Promise<void>;
  send(body: string, messages: Message[]): void;
  /** Sends the farewell, messages, if there is one; the host ignores what it tells from now on. */
  close(farewell?: string[]): void;
  /** Bytes that wait to leave, if it knows. */
  readonly unsent?: number;
  /** The network may be another: shows within so many milliseconds that it works. False: a message must show it. */
  renew?(deadline: number): boolean;
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
  windows: CustomEvent<{ several: boolean }>;
  error: CustomEvent<{ error: unknown }>;
}

/**
 * One session with a bus.
 *
 * Event `state`: the state changed. Event `windows`: whether the server sees several windows of this browser, and so
 * lets this one poll at an interval only. Event `error`: an error that no promise can tell. A listener threw, a
 * subscription was refused when it was restored, or a first connect failed and is tried again. The console shows
 * such errors too, unless `preventDefault()` is called.
 */
export class Mirant extends EventTarget {
  /**
   * @param url of the bus, relative to the page or absolute
   * @throws TypeError if the URL is neither http nor https, or a transport is unknown
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

  /**
   * Ends the session after sending what is queued. Subscriptions outlive it: `connect()` restores them. A shared
   * session goes on while another window has it.
   */
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
   * Publishes; resolves with the server's reply. An ArrayBuffer goes as binary data, and of a view the part that it shows.
   * Bytes are read when the message leaves. A message that is published before the session is up, or while it is
   * interrupted, waits for it.
   *
   * Rejects with BayeuxError: a 4xx code from the server; `0:…:transport_failed` when the transport broke before the
   * reply (it may or may not have been published); `0:1000:queue_full`; `0::disconnected` after the session ended; in a
   * shared session `0::leader_lost` when the window that leads ended before the reply (it may or may not have been
   * published).
   */
  publish(channel: string, data: unknown): Promise<Message>;

  /**
   * Calls a remote procedure (channel `/service/<target>`); resolves with the data of its answer.
   *
   * Rejects as `publish()` does. Rejects with `406::timeout` without an answer in time; a call that was not sent by then is
   * never sent. Rejects when the answer is unsuccessful: the error's `reply` is the answer, with its data.
   */
  call<T = unknown>(target: string, data?: unknown, options?: { timeout?: number }): Promise<T>;

  /** Listens without a subscription on the server: to messages of service channels, or to replies on meta channels. */
  listen<T = unknown>(channel: string, listener: (message: Delivery<T>) => unknown): { remove(): void };

  /** What the callback sends leaves in one array when it returns; a promise it returns is not waited for. */
  batch<T>(callback: () => T): T;

  /**
   * For extensions: sends any message, with `id` and `clientId` added, and resolves with its reply. Rejects as
   * `publish()` does. For binary data in parts: `{channel, data: bytes, ext: {binary: {last: false, meta}}}`.
   */
  send(message: Message): Promise<Message>;

  addEventListener<K extends keyof MirantEventMap>(type: K, listener: (event: MirantEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

/** What belongs to an error. */
export interface Facts {
  channel?: string | undefined;
  reply?: Message | undefined;
  cause?: unknown;
}

/** A refusal by the server, or with code 0 and no `reply` a failure on the way to it. */
export class BayeuxError extends Error {
  /** @param text `code:args:error`, as on the wire */
  constructor(text: string, facts?: Facts);
  /** 4xx or 5xx; 0 when the error is not from the server. */
  readonly code: number;
  /** The last part: `session_unknown` in `402::session_unknown`. */
  readonly error: string;
  readonly args: string[];
  readonly channel: string | undefined;
  readonly reply: Message | undefined;
}

/** How far a session's messages were received. */
export interface AckState {
  /** The last batch that was complete. */
  batch: number;
  /** How many messages came since. */
  seen: number;
}

/**
 * The ack extension: messages from the server arrive, in order, while the session lives, whatever connections break.
 * A message that comes again because its acknowledgement was lost is dropped. Must be the first of the extensions.
 */
export class Ack implements Extension {
  /** null: there is no session, or its server does not acknowledge. */
  state: AckState | null;
  /** @internal */
  resume(state: AckState | null): void;
  outgoing(message: Message): void;
  incoming(message: Message): null | undefined;
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
