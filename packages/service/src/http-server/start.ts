import { lstat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
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

const isLeft = async (path: string): Promise<boolean> => {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) => resolve(errnoOf(error) === "ECONNREFUSED"));
  });
};
