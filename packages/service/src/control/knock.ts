import { connect } from "node:net";
import { DrayError } from "dray/errors";
import { errnoOf } from "dray/internal/files";
import { reach } from "./socket-path.ts";

/**
 * Whether somebody answers at a socket. One that a dead process left behind refuses.
 * @throws DrayError `DENIED` where it belongs to another user
 */
export const answers = (path: string, program: string): Promise<boolean> =>
  reach(
    path,
    (short) =>
      new Promise<boolean>((resolve, reject) => {
        const socket = connect(short);
        socket.once("connect", () => {
          socket.destroy();
          resolve(true);
        });
        socket.once("error", (error) => {
          const code = errnoOf(error);
          if (code === "EACCES" || code === "EPERM")
            reject(
              new DrayError(
                "DENIED",
                `${path} belongs to another user: run this as the user of ${program}, or as root`,
              ),
            );
          else resolve(false);
        });
      }),
  );
