/** Types of signaling.js, the client of the signaling service for browsers. */

/** An error of the service or of the way to it. */
export class SignalingError extends Error {
  constructor(code: string, detail?: string, status?: number, retryAfter?: number);
  /** Stable: the service's code, or `session_lost`, `closed`, `superseded`, `unreachable`, `bad_response` of the client. */
  code: string;
  /** The HTTP status; 0 when there is none. */
  status: number;
  /** Milliseconds that the service asks to wait; 0 when it does not. */
  retryAfter: number;
  /** Whether the service does not know the session, or not by this token. */
  readonly gone: boolean;
  /** Whether it is an answer of the service itself, which the way to it has nothing to do with. */
  readonly isAnswer: boolean;
  /** Whether asking again the same way is useless. */
  readonly refusal: boolean;
}

/** Listeners by type of event. `on` returns a function that ends what it began. */
export class Emitter<Events = Record<string, any>> {
  on<Type extends keyof Events & string>(type: Type, listener: (detail: Events[Type]) => void): () => void;
  off<Type extends keyof Events & string>(type: Type, listener: (detail: Events[Type]) => void): void;
  emit<Type extends keyof Events & string>(type: Type, detail: Events[Type]): void;
}

/** A message of the service; what it holds depends on `t`. */
export interface Message {
  t: string;
  seq?: number;
  ts?: number;
  from?: { peer: string };
  room?: string;
  call?: string;
  neg?: number;
  body?: any;
  [field: string]: any;
}

export interface Member {
  peer: string;
  /** What the peer says of itself. */
  meta: any;
}

export type ClientState = "idle" | "connecting" | "open" | "reconnecting" | "closed";

/** Events of the client's own; every message of the service arrives under its `t` and under `message` as well. */
export interface ClientEvents {
  state: { state: ClientState; retryIn?: number; error?: Error | null };
  session: { sid: string; previous: string | null; restarted: boolean };
  transport: { transport: string };
  discontinuity: {};
  network: {};
  join_failed: { room: string; error: SignalingError };
  peer_joined: { t: string; room: string; peer: string; meta: any; moderator?: true };
  /** Also about this peer itself, when it begins or ceases to moderate. */
  peer_updated: { t: string; room: string; peer: string; meta: any; moderator?: true };
  peer_returned: { t: string; room: string; peer: string; meta: any };
  peer_left: { t: string; room: string; peer: string; reason: string };
  message: Message;
  [t: string]: any;
}

export interface ClientOptions {
  /** Where the service is; the page's own origin if not given. */
  url?: string;
  /** A JWT, or a function that gives one: for `hello`, when one was `refused`, and when it is `expiring`. */
  token?: string | ((reason: string) => string | Promise<string>);
  /** About this client, for the operator. */
  info?: object;
  /** Of `websocket`, `sse` and `poll` those to use, the best first. */
  transports?: string[];
  fetch?: typeof fetch;
  WebSocket?: any;
}

/** One session on the service, over whatever connection works. */
export class SignalingClient extends Emitter<ClientEvents> {
  constructor(options?: ClientOptions);
  state: ClientState;
  /** Room → party id → metadata: the others who are in it now. */
  rooms: Map<string, Map<string, any>>;
  /** Room → party ids of those who moderate it, this peer among them or not. A change is told by `peer_updated`. */
  moderators: Map<string, Set<string>>;
  /** How many times a stream was opened. */
  streams: number;
  transport: string | null;
  /** The session's identifier, which is this peer's party id. */
  readonly sid: string | null;
  readonly iceServers: RTCIceServer[];
  readonly limits: { message: number; batch: number; candidates: number };
  /** Messages that the service has not answered. */
  readonly pending: number;
  connect(): Promise<void>;
  join(
    room: string,
    meta?: object,
    extra?: { password?: string | null; [field: string]: any },
  ): Promise<Member[]>;
  leave(room: string): Promise<void>;
  setPresence(room: string, meta: object): Promise<void>;
  /** Whether this peer moderates the room: then it may `kick`, `closeRoom` and `setPassword`. */
  isModerator(room: string): boolean;
  kick(room: string, peer: string): Promise<void>;
  closeRoom(room: string): Promise<void>;
  /** With null, the room has no password any more. */
  setPassword(room: string, password: string | null): Promise<void>;
  send(message: { t: string; [field: string]: any }): Promise<void>;
  reconnect(): void;
  close(error?: Error | null): void;
}

export interface RemoteState {
  audio: boolean;
  video: boolean;
  /** The id of the stream with the screen that is shared. */
  screen: string | null;
}

export interface ConnectionEvents {
  stream: MediaStream;
  change: {};
  remote_state: RemoteState;
  chat: string;
  failed: {};
  gone: {};
  problem: Error;
}

/** The connection to one party of a call. */
export class PeerConnection extends Emitter<ConnectionEvents> {
  constructor(options: {
    client: SignalingClient;
    room: string;
    peer: string;
    calls: string[];
    configuration?: RTCConfiguration;
    stream?: MediaStream | null;
    screen?: MediaStream | null;
    offers?: boolean;
  });
  peer: string;
  calls: Set<string>;
  pc: RTCPeerConnection;
  streams: Map<string, MediaStream>;
  remoteState: RemoteState;
  glare: number;
  isGone: boolean;
  receive(message: Message): void;
  setStream(stream: MediaStream | null): void;
  setScreen(screen: MediaStream | null): void;
  setLocalState(state: { audio: boolean; video: boolean }): void;
  sendChat(text: string): boolean;
  restartIce(): void;
  recover(leads: boolean): void;
  close(): void;
}

export type CallState = "idle" | "incoming" | "calling" | "waiting" | "active";

export interface CallEvents {
  state: { state: CallState; before: CallState; reason: string };
  incoming: { peer: string };
  stream: { peer: string; stream: MediaStream };
  chat: { peer: string; text: string };
  change: { peer?: string };
  peer_ended: { peer: string; reason: string };
  problem: Error;
}

/** The call of one room. */
export class Call extends Emitter<CallEvents> {
  constructor(options: {
    client: SignalingClient;
    room: string;
    mesh?: boolean;
    stream?: MediaStream | null;
    configuration?: RTCConfiguration;
  });
  state: CallState;
  peers: Map<string, PeerConnection>;
  callers: Map<string, { call: string; inbox: Message[] }>;
  invited: Set<string>;
  start(peers?: string[], options?: { first?: boolean }): void;
  accept(): void;
  hangup(reason?: string): void;
  setEnabled(kind: "audio" | "video", enabled: boolean): void;
  setStream(stream: MediaStream | null): void;
  setScreen(screen: MediaStream | null): void;
  sendChat(text: string): number;
  close(): void;
}

/** The delay in milliseconds before retry number `attempt`, at least what the service `asked` for. */
export function backoff(attempt: number, asked?: number, random?: () => number): number;
/** The value of a `Retry-After` field in milliseconds. */
export function retryAfter(field: string | null, now?: number): number;
/** Whether this side takes its offer back when offers cross. */
export function isPolite(own: string, other: string): boolean;
/** The messages for candidates as they were found, null for the end. */
export function candidateMessages(
  found: (RTCIceCandidate | null)[],
  ufrag: string | undefined,
  limit: number,
): { candidates: object[]; ufrag: string | undefined; end?: true }[];
/** The way that media takes; null while there is none. */
export function iceRoute(
  stats: RTCStatsReport | Map<string, any>,
): { local: string; remote: string; protocol: string; relayed: boolean; rtt: number | null } | null;

/** Splits a stream of server-sent events. */
export class EventStreamParser {
  push(text: string): { id: string; data: string }[];
}

/** Which transport to use: the first that works. Times are in milliseconds. */
export class TransportChoice {
  constructor(names: string[]);
  pick(now: number): string;
  opened(name: string, now: number): void;
  failed(name: string, now: number): boolean;
  retryAt(name: string): number | null;
}

/** Takes each event once. */
export class EventCursor {
  epoch: number;
  seq: number;
  readonly position: string;
  reset(epoch: number): void;
  take(epoch: number, seq: number): boolean;
}

/** Messages that the service has not answered. */
export class Outbox {
  readonly count: number;
  readonly underWay: number;
  add(message: object): Promise<void>;
  next(maxCount: number, maxSize: number): { id: string; text: string; size: number; sent: boolean }[];
  rewind(): void;
  settle(id: string, error?: Error | null): void;
  rejectAll(error: Error): void;
}
