import { lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { errnoOf } from "dray/internal/files";
import type { ListenAddress } from "./listen-address.ts";

/** Begins to listen. A unix socket that a dead process left is replaced; one at which somebody answers is not. */
export const start = async (server: Server, address: ListenAddress): Promise<void> => {
  try {
    await listening(server, address);
  } catch (error) {
    if (errnoOf(error) !== "EADDRINUSE" || !("unix" in address) || !(await isLeft(address.unix))) throw error;
    await unlink(address.unix);
    await listening(server, address);
  }
};

/** @param begin where it is not by `listen` alone */
export const listening = (
  server: Server,
  address: ListenAddress,
  begin: () => void = () => void server.listen("unix" in address ? { path: address.unix } : { ...address }),
): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      server.off("listening", done);
      reject(error);
    };
    const done = (): void => {
      server.off("error", failed);
      resolve();
    };
    server.once("error", failed);
    server.once("listening", done);
    begin();
  });

const isLeft = async (path: string): Promise<boolean> =>
  (await lstat(path)).isSocket() && (await isAnswered({ unix: path })) === false;

/** Whether somebody takes connections there; `undefined` where that cannot be told. */
export const isAnswered = (address: ListenAddress): Promise<boolean | undefined> =>
  new Promise((resolve) => {
    const socket = connect("unix" in address ? { path: address.unix } : { host: address.host, port: address.port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(errnoOf(error) === "ECONNREFUSED" ? false : undefined));
  });
