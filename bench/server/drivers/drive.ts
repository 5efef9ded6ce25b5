/** Clients run in a process of their own, so that what they do is neither this program's nor the server's work. */
import { fileURLToPath } from "node:url";
import { succeed } from "@dray/testkit/peers";

/** Runs `NAME.ts` of this folder with its options; it prints its figures as JSON. @throws with what it said on stderr */
export const drive = async <T>(name: string, options: object): Promise<T> =>
  JSON.parse(
    await succeed([process.execPath, fileURLToPath(new URL(`${name}.ts`, import.meta.url)), JSON.stringify(options)]),
  ) as T;

/** What the driver was told. */
export const told = <T>(): T => JSON.parse(process.argv[2] as string) as T;

export const tell = (figures: object): void => void process.stdout.write(JSON.stringify(figures));
