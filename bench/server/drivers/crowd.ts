/** Uploads at full speed beside readers that hardly read: what a server's memory is measured with. */
import { createHash, type Hash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { tell, told } from "./drive.ts";

export interface CrowdOptions {
  readonly port: number;
  readonly repository: string;
  /** Read by the slow ones. */
  readonly blob: string;
  readonly uploads: number;
  readonly readers: number;
  /** MiB of each upload. */
  readonly megabytes: number;
}

export interface CrowdResult {
  readonly seconds: number;
  /** Bytes that the slow readers had. */
  readonly read: number;
}

const MiB = 1024 * 1024;
const { port, repository, blob, uploads, readers, megabytes } = told<CrowdOptions>();
const block = randomBytes(MiB);

/** All uploads begin alike and end differently, so that hashing them here costs no more than one. */
const prefix: Hash = createHash("sha256");
for (let i = 1; i < megabytes; i++) prefix.update(block);
const contents = Array.from({ length: uploads }, () => {
  const last = Buffer.from(block);
  randomBytes(32).copy(last);
  return { last, digest: `sha256:${prefix.copy().update(last).digest("hex")}` };
});

let read = 0;
const slow = Array.from({ length: readers }, () => {
  const socket = connect(port, "127.0.0.1");
  let budget = 0;
  socket.on("error", () => {});
  socket.write(`GET /v2/${repository}/blobs/${blob} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  socket.on("data", (bytes) => {
    read += bytes.length;
    budget -= bytes.length;
    if (budget <= 0) socket.pause();
  });
  const timer = setInterval(() => {
    budget = 128 * 1024;
    socket.resume();
  }, 250);
  return { socket, timer };
});

const answerOf = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    const data = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.off("data", data).off("close", closed);
      resolve(text);
    };
    const closed = (): void => reject(new Error(`the server closed an upload: ${text}`));
    socket.on("data", data).once("close", closed);
  });

const write = (socket: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });

const upload = async ({ last, digest }: (typeof contents)[number]): Promise<void> => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const host = `Host: 127.0.0.1:${port}`;
  socket.write(`POST /v2/${repository}/blobs/uploads/ HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\n\r\n`);
  const opened = await answerOf(socket);
  const location = /^location: (\S+)/im.exec(opened)?.[1];
  if (location === undefined) throw new Error(`POST was answered: ${opened}`);
  const { pathname, search } = new URL(location, `http://127.0.0.1:${port}`);
  const target = `${pathname}${search}${search === "" ? "?" : "&"}digest=${digest}`;
  socket.write(`PUT ${target} HTTP/1.1\r\n${host}\r\nContent-Length: ${megabytes * MiB}\r\n\r\n`);
  const answered = answerOf(socket);
  answered.catch(() => {});
  for (let i = 1; i < megabytes; i++) await write(socket, block);
  await write(socket, last);
  const answer = await answered;
  if (!answer.startsWith("HTTP/1.1 201")) throw new Error(`PUT was answered: ${answer}`);
  socket.destroy();
};

const begun = performance.now();
await Promise.all(contents.map(upload));
const seconds = (performance.now() - begun) / 1000;
for (const { socket, timer } of slow) {
  clearInterval(timer);
  socket.destroy();
}
tell({ seconds, read } satisfies CrowdResult);
process.exit(0);
