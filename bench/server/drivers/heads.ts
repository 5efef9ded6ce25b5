/** HEAD requests over kept connections. wrk waits for the body that a HEAD announces and does not have. */
import { connect } from "node:net";
import { tell, told } from "./drive.ts";

export interface HeadsOptions {
  readonly port: number;
  readonly path: string;
  readonly accept: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface HeadsResult {
  readonly rate: number;
  /** Milliseconds. */
  readonly p99: number;
  readonly count: number;
}

const { port, path, accept, connections, seconds } = told<HeadsOptions>();
const question = `HEAD ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: ${accept}\r\n\r\n`;
const times: number[] = [];
const begun = performance.now();
const end = begun + seconds * 1000;

await Promise.all(
  Array.from(
    { length: connections },
    () =>
      new Promise<void>((resolve, reject) => {
        let asked = 0;
        let answer = "";
        const socket = connect(port, "127.0.0.1");
        const next = (): void => {
          asked = performance.now();
          if (asked < end) return void socket.write(question);
          socket.destroy();
          resolve();
        };
        socket.setNoDelay(true).setEncoding("latin1");
        socket.on("connect", next).on("error", reject);
        socket.on("close", () => reject(new Error("the server closed a kept connection")));
        socket.on("data", (text: string) => {
          answer += text;
          if (!answer.endsWith("\r\n\r\n")) return;
          if (!answer.startsWith("HTTP/1.1 200 ")) return reject(new Error(answer));
          answer = "";
          times.push(performance.now() - asked);
          next();
        });
      }),
  ),
);
const took = (performance.now() - begun) / 1000;
times.sort((a, b) => a - b);
tell({
  rate: times.length / took,
  p99: times[Math.floor(times.length * 0.99)] as number,
  count: times.length,
} satisfies HeadsResult);
