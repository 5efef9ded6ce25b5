import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** Where a program lies: in an absolute folder of `PATH`, or where its own absolute path says. `undefined`: nowhere. */
export const findProgram = async (
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> => {
  const windows = process.platform === "win32";
  const path = env["PATH"] ?? (windows ? env["Path"] : undefined) ?? "";
  for (const folder of isAbsolute(name) ? [""] : path.split(delimiter)) {
    if (!isAbsolute(name) && !isAbsolute(folder)) continue;
    // Batch files would need a shell.
    const program = windows && !/\.exe$/i.test(name) ? `${join(folder, name)}.exe` : join(folder, name);
    try {
      await access(program, windows ? constants.F_OK : constants.X_OK);
      // A folder may be entered, which looks the same.
      if ((await stat(program)).isFile()) return program;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
};
