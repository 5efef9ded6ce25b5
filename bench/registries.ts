/** Real registry servers to measure against: docker-registry, over http and over TLS, each with a folder of its own. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { testCertificates } from "@dray/testkit";
import type { Place } from "./programs.ts";

export interface Server extends Place {
  /** Forgets everything that was pushed. */
  empty(): Promise<void>;
  /** Bytes of all blobs that it holds. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

export const startServer = async ({ tls = false }: { tls?: boolean } = {}): Promise<Server> => {
  const dir = await mkdtemp(join(tmpdir(), "dray-registry-"));
  const data = join(dir, "data");
  await mkdir(data);
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const ca = tls ? await writeCertificates(dir) : undefined;
  await writeFile(
    join(dir, "config.yml"),
    JSON.stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: data },
        delete: { enabled: true },
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: {
        addr: host,
        ...(tls ? { tls: { certificate: join(dir, "server.pem"), key: join(dir, "server.key") } } : {}),
      },
    }),
  );
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], { stdio: "ignore" });
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (cause) =>
      reject(new Error("docker-registry does not start; it is the Debian package of that name", { cause })),
    );
    child.on("exit", (code) => reject(new Error(`docker-registry ended with ${code}`)));
  });
  failed.catch(() => {});
  await Promise.race([failed, listening(port)]);
  return {
    host,
    ...(ca === undefined ? {} : { ca }),
    empty: async () => {
      for (const entry of await readdir(data)) await rm(join(data, entry), { recursive: true });
    },
    bytes: async () => {
      let sum = 0;
      for (const file of await readdir(data, { recursive: true, withFileTypes: true }))
        if (file.isFile() && file.name === "data") sum += (await stat(join(file.parentPath, file.name))).size;
      return sum;
    },
    close: async () => {
      child.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
};

const writeCertificates = async (dir: string): Promise<string> => {
  const { ca, server } = await testCertificates();
  await writeFile(join(dir, "ca.pem"), ca.cert);
  await writeFile(join(dir, "server.pem"), server.cert);
  await writeFile(join(dir, "server.key"), server.key);
  return join(dir, "ca.pem");
};

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });

const listening = async (port: number): Promise<void> => {
  const { connect } = await import("node:net");
  for (let i = 0; i < 200; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
      socket.on("error", () => resolve(false));
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error("docker-registry does not listen");
};
