import { fileURLToPath } from "node:url";
import { finish } from "@dray/testkit/peers";

/** What the keychains said of one registry. */
export interface AskedAnswer {
  readonly registry: string;
  readonly tried: readonly { readonly source: string; readonly said: string }[];
  readonly chosen: {
    readonly kind: string;
    readonly source?: string;
    readonly username?: string;
    readonly expiresAt?: string;
  };
  readonly password?: string;
  readonly identityToken?: string;
}

/** What a program heard that asked for several registries. */
export interface Asked {
  readonly answers: readonly AskedAnswer[];
  readonly warnings: readonly string[];
  readonly stderr: string;
}

/** Asks for registries in a process that has these variables and no others. */
export const asked = async (
  registries: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Asked> => {
  const program = fileURLToPath(new URL("./ask.ts", import.meta.url));
  const bare = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  const { code, stdout, stderr } = await finish([process.execPath, program, ...registries], {
    env: { ...bare, NO_COLOR: "1", ...env },
  });
  if (code !== 0) throw new Error(`asking ended with ${code}: ${stderr}`);
  // Whatever a library prints there is not ours, and spoils it.
  return { ...(JSON.parse(stdout) as Omit<Asked, "stderr">), stderr };
};
