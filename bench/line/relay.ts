/**
 * A long line: a relay in a process of its own, whose two directions each have a rate that all connections share, and a delay. The
 * handshake of a connection takes a round trip as well. With limits, a registry behind it that lets in so many connections and requests.
 */
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** What the line is like. */
export interface Line {
  /** Milliseconds there and back. */
  readonly roundTrip: number;
  /** Megabits a second, in each direction. */
  readonly rate: number;
  /** Connections at a time that are let in; another one is closed. */
  readonly connections?: number;
  /** Requests a second; more are answered 429. Over http alone. */
  readonly requests?: number;
}

/** Bytes of one connection on their way in one direction, as kernels let grow for such a line. */
const window = 2 * 1024 * 1024;
const request = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE) [^\r\n]* HTTP\/1\.1\r\n/;

/** Hands chunks on in order, each when its last bit has come to the other end. */
class Direction {
  readonly #bytesPerMs: number;
  readonly #delay: number;
  readonly #waiting: { readonly at: number; readonly deliver: () => void }[] = [];
  #free = 0;
  #awake = false;

  constructor({ rate, roundTrip }: Line) {
    this.#bytesPerMs = (rate * 1e6) / 8 / 1000;
    this.#delay = roundTrip / 2;
  }

  send(bytes: number, notBefore: number, deliver: () => void): void {
    this.#free = Math.max(performance.now(), this.#free, notBefore) + bytes / this.#bytesPerMs;
    this.#waiting.push({ at: this.#free + this.#delay, deliver });
    if (!this.#awake) this.#wakeIn(this.#delay);
  }

  #wakeIn(ms: number): void {
    this.#awake = true;
    setTimeout(this.#due, Math.max(0, ms));
  }

  readonly #due = (): void => {
    this.#awake = false;
    const now = performance.now();
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as { at: number }).at <= now + 0.5) due++;
    for (const { deliver } of this.#waiting.splice(0, due)) deliver();
    const next = this.#waiting[0];
    if (next !== undefined) this.#wakeIn(next.at - performance.now());
  };
}

/** Listens before each of `targets` (`host:port`), which share the line, and counts requests. */
const relay = async (line: Line, targets: readonly string[]): Promise<void> => {
  const [up, down] = [new Direction(line), new Direction(line)];
  const counts = { requests: 0, connections: 0, refused: 0, limited: 0 };
  const ports: number[] = [];
  for (const target of targets) {
    const [hostname, port] = target.split(":") as [string, string];
    let open = 0;
    /** When each request of the last second came. */
    let recent: number[] = [];
    const server = createServer({ noDelay: true }, (client) => {
      if (open >= (line.connections ?? Number.POSITIVE_INFINITY)) {
        counts.refused++;
        setTimeout(() => client.resetAndDestroy(), line.roundTrip);
        client.on("error", () => {});
        return;
      }
      open++;
      counts.connections++;
      const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
      const established = performance.now() + line.roundTrip;
      for (const socket of [client, upstream]) socket.on("error", () => {});
      client.once("close", () => {
        open--;
        upstream.destroy();
      });
      pass(client, upstream, up, established, (chunk) => {
        if (!request.test(chunk.toString("latin1", 0, 4096))) return true;
        counts.requests++;
        const now = performance.now();
        recent = recent.filter((at) => at > now - 1000);
        if (recent.length < (line.requests ?? Number.POSITIVE_INFINITY)) {
          recent.push(now);
          return true;
        }
        counts.limited++;
        const answer =
          "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        down.send(answer.length, established, () => client.end(answer));
        return false;
      });
      pass(upstream, client, down, established, () => true);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports.push((server.address() as { port: number }).port);
  }
  process.stdin.on("data", () => {
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] = 0;
  });
  process.stdout.write(`${JSON.stringify(ports)}\n`);
};

const pass = (
  from: Socket,
  to: Socket,
  direction: Direction,
  notBefore: number,
  lets: (chunk: Buffer) => boolean,
): void => {
  let [onTheWay, stopped] = [0, false];
  from.on("data", (chunk) => {
    if (stopped) return;
    if (!lets(chunk)) {
      stopped = true;
      return;
    }
    onTheWay += chunk.byteLength;
    if (onTheWay >= window) from.pause();
    direction.send(chunk.byteLength, notBefore, () => {
      to.write(chunk);
      onTheWay -= chunk.byteLength;
      if (onTheWay < window) from.resume();
    });
  });
  from.once("end", () => direction.send(0, notBefore, () => to.end()));
  from.once("close", (hadError) => hadError && direction.send(0, notBefore, () => to.resetAndDestroy()));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [line, ...targets] = process.argv.slice(2) as [string, ...string[]];
  await relay(JSON.parse(line) as Line, targets);
}
