import type { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";

/** What an agent opens a connection with. Whatever has the same key may take the other's place. */
type Options = ConnectionOptions & { readonly _agentKey?: string };
type Opened = (error: Error | null, socket: Duplex) => void;
type Open = (options: Options, opened: Opened) => Duplex | null | undefined;

/** Milliseconds after which a connection that nobody wanted is closed. */
const longestIdle = 5_000;
/** One that has stood for so long was let in: who closes it then, or says that he waited, does not wait for requests as long as we keep it. */
const letIn = 2_000;

/**
 * Connections that are opened ahead of the requests that will want them, in the way in which their agent opens its own: through the same
 * proxy, with the same certificates, by the options of one that it opened before. A request that finds none of the agent's kept connections gets
 * one of these as soon as it stands. One that fails before a request wanted it is nobody's failure, and where it was not even let in no more are
 * opened ahead for that host.
 * None of them keeps a process alive.
 */
export class OpenedAhead {
  readonly #agent: Agent;
  readonly #open: Open;
  /** The options of the last connection to a host and port. */
  readonly #known = new Map<string, Options>();
  readonly #ahead = new Map<string, Set<Ahead>>();
  /** Hosts that closed one, by key. */
  readonly #barred = new Set<string>();
  /** Those that requests got, and what is to be done where the host closes them then. */
  readonly #given = new WeakMap<Duplex, () => void>();
  #closed = false;
  readonly #now: () => number;

  /** @param now milliseconds that go on evenly */
  constructor(agent: Agent, now: () => number = () => performance.now()) {
    this.#agent = agent;
    this.#now = now;
    this.#open = agent.createConnection.bind(agent) as Open;
    agent.createConnection = ((options: Options, opened: Opened) => this.#connection(options, opened)) as never;
  }

  /**
   * Opens as many connections to a host as are missing to `total`: those in use, those kept and those opened ahead. `refused` hears where the
   * host closes one.
   */
  open(host: string, port: number, total: number, refused: () => void): void {
    const options = this.#known.get(`${host} ${port}`);
    const key = options?._agentKey;
    if (key === undefined || this.#closed || this.#barred.has(key)) return;
    const ahead = this.#of(key);
    const { sockets, freeSockets } = this.#agent;
    const there = (sockets[key]?.length ?? 0) + (freeSockets[key]?.length ?? 0) + ahead.size;
    for (let missing = total - there; missing > 0; missing--) this.#openOne(key, options as Options, refused);
  }

  /** Whether a connection was opened ahead that a request found closed. Then none stays, and no more are opened for that host. */
  foundClosed(socket: Duplex | null): boolean {
    const bar = socket === null ? undefined : this.#given.get(socket);
    bar?.();
    return bar !== undefined;
  }

  close(): void {
    this.#closed = true;
    for (const ahead of this.#ahead.values()) for (const one of ahead) one.giveUp();
  }

  #of(key: string): Set<Ahead> {
    const ahead = this.#ahead.get(key) ?? new Set();
    this.#ahead.set(key, ahead);
    return ahead;
  }

  /** What the agent asks for: one that stands, one that will, or its own. */
  #connection(options: Options, opened: Opened): Duplex | null | undefined {
    const key = options._agentKey;
    if (key === undefined) return this.#open(options, opened);
    this.#known.set(`${options.host} ${options.port}`, connectionAlone(options));
    const free = [...this.#of(key)].filter((one) => one.isFree);
    const first = free.find((one) => one.stands) ?? free[0];
    if (first === undefined) return this.#open(options, opened);
    first.giveTo(opened, () => {
      const socket = this.#open(options, opened);
      if (socket) opened(null, socket);
    });
    return undefined;
  }

  #openOne(key: string, options: Options, refused: () => void): void {
    const ahead = this.#of(key);
    const bar = (): void => {
      if (this.#barred.has(key)) return;
      this.#barred.add(key);
      refused();
    };
    const one = new Ahead({
      now: this.#now,
      given: (socket) => {
        ahead.delete(one);
        this.#given.set(socket, () => {
          if (one.isRefused) bar();
          for (const other of ahead) if (other.isFree) other.giveUp();
        });
      },
      over: (failed) => {
        ahead.delete(one);
        if (failed && one.isRefused) bar();
      },
    });
    ahead.add(one);
    const socket = this.#open(options, one.opened);
    if (socket) one.opened(null, socket);
  }
}

/** Without what belongs to the request for which it was opened. */
const connectionAlone = (options: Options): Options =>
  ({ ...options, headers: undefined, method: undefined, signal: undefined }) as Options;

interface Hears {
  readonly now: () => number;
  readonly given: (socket: Duplex) => void;
  /** `failed`: we did not give it up. */
  readonly over: (failed: boolean) => void;
}

/** One connection that is opened ahead, until it is given to a request or over. */
class Ahead {
  readonly #hears: Hears;
  #socket: Socket | undefined;
  #taker: Opened | undefined;
  #instead: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #stoodAt: number | undefined;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  get stands(): boolean {
    return this.#stoodAt !== undefined;
  }

  /** Whether a failure now means that it was not let in. */
  get isRefused(): boolean {
    return this.#stoodAt === undefined || this.#hears.now() - this.#stoodAt < letIn;
  }

  get isFree(): boolean {
    return this.#taker === undefined && this.#socket?.destroyed !== true;
  }

  readonly opened = (error: Error | null, duplex: Duplex): void => {
    // What `net.connect` gets for a listener hears nothing of an error or a socket: that one has come already.
    if (this.#socket !== undefined) return;
    if (error !== null) return this.#fail(error);
    const socket = duplex as Socket & { readonly secureConnecting?: boolean };
    if (this.#over) return void socket.destroy();
    this.#socket = socket;
    socket.on("error", this.#fail);
    socket.on("close", this.#fail);
    // Nothing was asked: what comes all the same is no answer to whoever will ask.
    socket.on("data", this.#fail);
    if (this.#taker === undefined) socket.unref();
    if (socket.secureConnecting) socket.once("secureConnect", this.#stand);
    else if (socket.connecting) socket.once("connect", this.#stand);
    else this.#stand();
  };

  /**
   * Gives it to a request once it stands. From there on it is that one's own, and fails as its own would. Until then nothing of the request has
   * been sent: `instead` opens one for it where this one fails.
   */
  giveTo(taker: Opened, instead: () => void): void {
    this.#taker = taker;
    this.#instead = instead;
    if (this.stands) this.#give();
    else this.#socket?.ref();
  }

  giveUp(): void {
    this.#end();
  }

  readonly #fail = (cause?: unknown): void => {
    const error = cause instanceof Error ? cause : Object.assign(new Error("closed"), { code: "ECONNRESET" });
    this.#end(error);
  };

  readonly #stand = (): void => {
    this.#stoodAt = this.#hears.now();
    if (this.#taker !== undefined) return this.#give();
    this.#timer = setTimeout(() => this.giveUp(), longestIdle);
    this.#timer.unref();
  };

  #give(): void {
    const socket = this.#socket as Socket;
    this.#letGo();
    socket.ref();
    this.#hears.given(socket);
    this.#taker?.(null, socket);
  }

  #end(error?: Error): void {
    if (this.#over) return;
    this.#letGo();
    this.#socket?.on("error", () => {});
    this.#socket?.destroy();
    this.#hears.over(error !== undefined);
    if (error !== undefined) this.#instead?.();
    else this.#taker?.(new Error("closed"), this.#socket as Duplex);
  }

  #letGo(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket?.off("error", this.#fail).off("close", this.#fail).off("data", this.#fail);
    this.#socket?.off("secureConnect", this.#stand).off("connect", this.#stand);
  }
}
