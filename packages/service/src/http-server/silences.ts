import type { HttpRequest } from "dray/http";
import { mostHeldFirst } from "./most-held-first.ts";
import { Resting } from "./resting.ts";

/** A request that may be waiting for its client. */
export interface Waiting {
  readonly request: HttpRequest;
  /** The beat since when its client is waited for; -1: it is not. */
  readonly waitsSince: number;
  /** Ends its connection at once. */
  cut(): void;
}

/** Clients whose connections were ended, because a body stood still or they asked for nothing. */
export interface LetGo {
  readonly count: number;
  /** Of the one that was silent for longest; missing where they asked for nothing. */
  readonly request?: HttpRequest;
  /** Its address, as it was before the end; of those that asked for nothing the first one that went. */
  readonly peer: string | undefined;
  readonly seconds: number;
  /** `limit`: no body may stand still for longer. `room`: what they held was needed. `rest`: so it was, and they asked for nothing. */
  readonly why: "limit" | "room" | "rest";
}

export interface RoomOptions {
  /** Connections to end at most. */
  readonly count: number;
  /** Milliseconds for which a client must have been silent, so that one that is merely slow is none. Default 10 s. */
  readonly silence?: number;
  /** `false`: those that ask for nothing stay, since they hold nothing of what is needed. Default `true`. */
  readonly resting?: boolean;
}

/**
 * The clients that are waited for, and for how long. A body may stand still for as long as allowed: a proxy that fills a temporary file
 * first reads nothing for many minutes, and lives. Where room is needed before that, connections that ask for nothing go first, then those
 * of the address that holds most, the longest silent of them first.
 */
export class Silences {
  /** Milliseconds of a beat, in which silence is counted. */
  readonly beat: number;
  readonly #most: number;
  readonly #tell: (gone: LetGo) => void;
  /** Requests that may be waiting; who serves them puts them here, and takes them away. */
  readonly open: Set<Waiting> = new Set();
  readonly resting: Resting = new Resting();
  /** Beats until now. */
  now = 0;

  constructor(idle: number, tell: (gone: LetGo) => void) {
    this.beat = Math.min(1000, idle / 4);
    this.#most = Math.ceil(idle / this.beat);
    this.#tell = tell;
  }

  /** Once in every beat. */
  tick(): void {
    this.now++;
    this.#end(this.#silentFor(this.#most), "limit");
  }

  /** Ends connections that rest, and where those are too few, of clients that are silent. Tells how many. */
  letGo({ count, silence = 10_000, resting = true }: RoomOptions): number {
    const [first, ...others] = resting ? this.resting.end(count, this.now) : [];
    const rested = first === undefined ? 0 : 1 + others.length;
    if (rested > 0) this.#tell({ count: rested, peer: first, seconds: 0, why: "rest" });
    const silent = this.#silentFor(Math.ceil(silence / this.beat)).map((one) => ({
      one,
      peer: one.request.peer,
      since: one.waitsSince,
    }));
    const gone = mostHeldFirst(silent).slice(0, count - rested);
    return (
      rested +
      this.#end(
        gone.map(({ one }) => one),
        "room",
      )
    );
  }

  /** Those that are silent for more than so many beats: the one in which the silence began may be nearly over. */
  #silentFor(beats: number): Waiting[] {
    return [...this.open].filter(({ waitsSince }) => waitsSince !== -1 && this.now - waitsSince > beats);
  }

  #end(silent: readonly Waiting[], why: LetGo["why"]): number {
    const [first] = silent;
    if (first === undefined) return 0;
    const longest = silent.reduce((one, other) => (other.waitsSince < one.waitsSince ? other : one), first);
    const seconds = Math.round(((this.now - longest.waitsSince) * this.beat) / 1000);
    // Of a connection that ended nobody knows whose it was.
    const { request } = longest;
    const { peer } = request;
    for (const one of silent) {
      this.open.delete(one);
      one.cut();
    }
    this.#tell({ count: silent.length, request, peer, seconds, why });
    return silent.length;
  }
}
