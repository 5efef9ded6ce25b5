import type { InstalledPackage } from "./installed.ts";

/** Packages of apk's list: paragraphs of lines, each a letter, a colon and a value. */
export const apkPackages = (bytes: Uint8Array): InstalledPackage[] =>
  new TextDecoder()
    .decode(bytes)
    .split("\n\n")
    .flatMap((paragraph) => {
      const line = (letter: string): string => new RegExp(`^${letter}:(.*)$`, "m").exec(paragraph)?.[1] ?? "";
      const name = line("P");
      return name === "" ? [] : [{ name, version: line("V"), architecture: line("A") }];
    });
