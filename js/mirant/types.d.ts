/**
 * The seams of the browser client, on one page: what its modules ask of each other. Not part of the API.
 *
 * `Session` owns the life of a session, `Link` the transport, `Requests` what is on its way to the server, and
 * `Application` what goes to and comes from the application's own code. Each module writes its own state only: what
 * others may read is `readonly` here.
 *
 * `Windows` and `ReloadModule` are loaded when an option asks for them, other transports than websocket when they are
 * opened.
 */
declare namespace T {
  type Message = import("../mirant.d.ts").Message;
  type Advice = import("../mirant.d.ts").Advice;
  type AckState = import("../mirant.d.ts").AckState;
  type BayeuxError = import("../mirant.d.ts").BayeuxError;
  type Delivery<D> = import("../mirant.d.ts").Delivery<D>;
  type Facts = import("../mirant.d.ts").Facts;
  type Host = import("../mirant.d.ts").Host;
  type Mirant = import("../mirant.d.ts").Mirant;
  type MirantOptions = import("../mirant.d.ts").MirantOptions;
  type Sample = import("../mirant.d.ts").Sample;
  type State = import("../mirant.d.ts").State;
  type Subscription = import("../mirant.d.ts").Subscription;
  type TimeSync = import("../mirant.d.ts").TimeSync;
  type Transport = import("../mirant.d.ts").Transport;
  type TransportType = import("../mirant.d.ts").TransportType;
  /** The extension that acknowledges. */
  type Ack = import("../mirant.d.ts").Ack;

  type Options = Required<MirantOptions> & { backoff: Required<import("../mirant.d.ts").Backoff> };

  /** The options, and what follows from them. */
  interface Settings extends Readonly<Omit<Options, keyof Clock>>, Clock {
    readonly url: URL;
    /** Ids of messages begin with it. Empty when the session is not shared. */
    readonly windowId: string;
    readonly ack: Ack | undefined;
  }

  /** From connect() to disconnect(). */
  interface Life {
    /** Aborted at the end. */
    events: AbortController;
    connected: Promise<void>;
    resolve: () => void;
    reject: (error: unknown) => void;
    /** Since disconnect() was called. */
    left?: Promise<void>;
  }

  /** How things are with a session, for the next page and for other windows. */
  interface Standing {
    state: State;
    ready: boolean;
    type: TransportType | null;
    clientId: string | null;
    advice: Advice;
    ack: AckState | null;
  }

  interface Session {
    readonly settings: Settings;
    readonly state: State;
    readonly clientId: string | null;
    /** Nothing is taken until the next connect(). */
    readonly ended: boolean;
    readonly advice: Advice;
    readonly application: Application;
    readonly requests: Requests;
    readonly link: Link;
    readonly windows: Windows | null;
    /** Once it is loaded. */
    readonly network: Network | null;
    fail: Host["fail"];
    /** The link is of no use any more. Without an error, it is the last one. */
    drop(error?: BayeuxError): void;
    end(cause?: BayeuxError, farewell?: string[]): void;
    become(state: State, error?: BayeuxError | null): void;
    /** The session is lost, and with it the calls that it had accepted. */
    forget(cause: unknown): void;
    /** Goes on with a session that another page or window began. */
    adopt(standing: Pick<Standing, "clientId" | "advice">): void;
    share(windows: Windows | null): void;
  }

  interface Application {
    /** The channels that are subscribed to. */
    readonly names: string[];
    /** Returns whether no listener prevented the default. */
    tell(type: string, detail: object, cancelable?: boolean): boolean;
    /** What no promise can tell. */
    report(error: unknown): void;
    guard(callback: () => unknown): void;
    /** What the extensions make of a message; null when they drop it. */
    outgoing(message: Message): Message | null;
    /** Loads the module for binary data if these messages need it. No message overtakes one that waits for it. */
    prepare(messages: Pick<Message, "data" | "ext">[]): Promise<unknown> | null;
    receive(messages: Message[]): void | Promise<void>;
    subscribe(name: string, callback: Listener["callback"], options?: { signal?: AbortSignal }): Promise<Subscription>;
    listen(name: string, callback: Listener["callback"]): { remove(): void };
    /** Subscribes again, in a new session. */
    restore(): void;
    /** Whether this window or, if it leads, another one is subscribed. */
    needs(name: unknown): boolean;
    /** Unsubscribes from what no window needs. */
    bury(names: string[]): void;
    /** Whether messages that nobody listens to yet are kept for subscriptions that are made later. */
    wait(keeps: boolean): void;
  }

  interface Listener {
    callback: (message: Delivery<any>) => unknown; // each listener names its own type of data
    /** It listens no more. */
    quit(): void;
  }

  /** A channel or pattern subscribed to on the server. */
  interface Channel {
    name: string;
    listeners: Set<Listener>;
    ready: Promise<unknown>;
    pending: boolean;
  }

  interface Requests {
    /** The error, if no more messages may wait. */
    readonly full: string | false;
    nextId(): string;
    /** Queues a message. One that is kept may be sent twice, so it outlives a broken link. */
    add(message: Message, kept?: { name: string }): Promise<Message>;
    queue(request: Request): void;
    batch<R>(callback: () => R): R;
    /** Nothing leaves the queue before this is settled. */
    hold(loading: Promise<unknown>): Promise<void>;
    flush(): void;
    /** Sends at once, and alone. The reply may take so many milliseconds, or as usual, and as long as the server holds it. */
    exchange(message: Message, hold?: number, wait?: number): Promise<Message>;
    /** The last words of a page, which will not see the replies: what waits, and that the session ends, if it does. */
    farewell(ends: boolean): string[];
    awaits(message: Message): boolean;
    /** Returns whether the reply was waited for. */
    settle(reply: Message, error: BayeuxError | null): boolean;
    /** Takes a request out of the queue, as if it had been answered; returns it, if there is one. */
    cancel(matches: (request: Request) => unknown): Request | undefined;
    /** In a new session: what `restore` adds goes first, what is moot counts as answered. */
    renew(restore: () => void, isMoot: (request: Request) => unknown): void;
    /** The link broke, and it has certainly not sent the messages with these ids. */
    lose(error: BayeuxError, unsent?: Set<unknown>): void;
    end(cause: BayeuxError): void;
    ask(target: string, data: unknown, options?: { timeout?: number }): Promise<any>;
    /** The call that a message answers. */
    call(message: Message): Call | undefined;
    forget(cause: unknown): void;
  }

  /** A message that waits, in the queue or on the wire, for its reply. */
  interface Request {
    message: Message;
    resolve: (reply: Message) => void;
    reject: (error: unknown) => void;
    /** Belongs to a subscription: to repeat it does no harm, so a broken link does not end it. */
    kept?: { name: string } | undefined;
    /** Sent for another window of a shared session. */
    forwarded?: boolean;
    /** The session it was sent in. */
    clientId?: string | null;
    /** The array it was sent in. */
    exchange?: Exchange;
  }

  /** An array on the wire: how many of its messages lack a reply, and the timer for them. */
  interface Exchange {
    left: number;
    /** Characters that count towards what may be without a reply. */
    size: number;
    /** When its reply is late. */
    until?: number;
    timer?: unknown;
  }

  interface Call {
    channel: string;
    /** The server has accepted it. */
    accepted: boolean;
    settle: (error: unknown, answer?: any) => void;
  }

  interface Link {
    readonly isOpen: boolean;
    /** There is a session, and its transport has shown that it works: the queue may leave. */
    readonly ready: boolean;
    /** The queue may leave now. */
    readonly free: boolean | undefined;
    /** The transport in use, or the last one. */
    readonly type: TransportType | null;
    /** What to try, in order: all transports when none is left that may work. */
    readonly types: TransportType[];
    open(type: TransportType): Promise<void>;
    mark(ready: boolean): void;
    /** The leading window is the link. */
    follow(type: TransportType | null, ready: boolean, leader: Carrier): void;
    send: Transport["send"];
    /** Ends a pause, too. */
    close(farewell?: string[]): void;
    /** What it sends over. */
    readonly carrier: Carrier | undefined;
    /** The transport in use works; of those that failed before it, the ones that never worked are avoided. */
    prove(failed: TransportType[]): void;
    avoid(types: TransportType[]): void;
    /** Begins with this transport. */
    prefer(type: TransportType | null): void;
    /** Tries all transports again, at once if it pauses. */
    forgive(): void;
    /** All is well. */
    reset(): void;
    /** How long to wait after a failure. A session that the server has lost is replaced at once, but not again and again. */
    delay(lost: unknown): number;
    /** How long the link will have been lost in a while. */
    absence(delay: number): number;
    pause(delay: number): Promise<unknown>;
  }

  /** `clock.js` replaces it in a page that is hidden. */
  type Clock = Pick<Options, "setTimeout" | "clearTimeout">;

  /** What is known of the way to the server. */
  interface Network {
    /** How long a reply may take, at first. */
    readonly patience: number;
    /** Something came. */
    moved(): void;
    /** After how many milliseconds `grants` is asked first about a reply that may take so many. */
    first(exchange: Exchange, wait: number): number;
    /** How much more time a reply gets that has not come in so many milliseconds, because the link moves; 0: give it up. */
    grants(exchange: Exchange, wait: number): number;
  }

  /** What a link sends over: a transport, or the leading window. */
  type Carrier = Omit<Transport, "open">;

  /** An attempt to have a link. Without a transport, that is being loaded. */
  interface Line {
    transport?: Carrier;
    /** Rejects the attempt. */
    refuse(error: unknown): void;
  }

  type TransportClass = new (settings: Settings, host: Host) => Transport;

  interface ReloadModule {
    /** Returns whether there is a place to keep it. */
    keep(session: Session): boolean;
    resume(session: Session): void;
  }

  interface BinaryModule {
    pack(message: Message): Message;
    unpack(message: Message): void;
  }

  /** The windows that share a session, as one of them sees it. */
  interface Windows {
    /** No other window needs the session. */
    readonly alone: boolean;
    /** Another window sent this message, or the one that it answers. */
    knows(message: Message): boolean;
    /** This window leads, and another one needs the channel. */
    keeps(name: unknown): boolean;
    receives(messages: Message[]): void;
    sends(messages: Message[]): void;
    /** The session stands otherwise now; as this state, if one is given. */
    changed(error?: BayeuxError | null, state?: State): void;
    /** The leader has not answered in time. */
    late(): void;
    /** The link is lost, or without a failure left. Returns the ids of messages that the leader has certainly not sent. */
    detach(failure: BayeuxError | null): Set<unknown>;
  }

  /** What windows that share a session tell each other. */
  interface Note {
    from: string;
    /** All answer with their channels, and the leader with its status too. */
    hello?: boolean;
    /** The channels that this window is subscribed to, all of them. */
    names?: string[];
    /** To the leader, if it still is in this epoch: send these messages. */
    to?: string;
    body?: string;
    /** From the leader: it is about to send these. */
    took?: (string | undefined)[];
    /** From the leader: what the server sent. */
    messages?: Message[];
    status?: Status;
  }

  /** How things are with the window that leads. */
  interface Status extends Standing {
    epoch: string;
    error: Pick<BayeuxError, "code" | "args" | "error" | "channel" | "reply"> | null;
  }
}
