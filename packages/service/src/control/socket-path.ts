import { mkdtemp, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { DrayError } from "dray/errors";
import { errnoOf } from "dray/internal/files";

/** Bytes of a socket's path: 107 on Linux, 103 elsewhere. */
const longest = 103;

/**
 * Gives `use` a path of this socket that is short enough for the system: the path itself, or one through a symbolic link in a
 * temporary folder, which is there until `use` is done. The socket lies in its place either way, so nobody has to be told of
 * another.
 */
export const reach = async <T>(path: string, use: (short: string) => Promise<T>): Promise<T> => {
  if (Buffer.byteLength(path) <= longest) return use(path);
  const folder = await shortFolder(path);
  try {
    const link = join(folder, "d");
    await symlink(dirname(path), link);
    return await use(join(link, basename(path)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const shortFolder = async (path: string): Promise<string> => {
  const places = [process.env["XDG_RUNTIME_DIR"], tmpdir(), "/tmp"];
  for (const place of places) {
    if (place === undefined || place === "" || Buffer.byteLength(place) > 60) continue;
    try {
      return await mkdtemp(join(place, "dray-"));
    } catch {
      // The next one.
    }
  }
  throw new DrayError(
    "DISK",
    `the path of the control socket is too long (${path}), and no short folder is there for a link to it; set XDG_RUNTIME_DIR or choose a shorter data folder`,
  );
};

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
