import type { InstalledPackage } from "./installed.ts";

/** Packages of dpkg's status: paragraphs of fields, of which those are installed whose status ends so, or who have none. @see deb-control(5) */
export const dpkgPackages = (bytes: Uint8Array): InstalledPackage[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/\n[ \t]*\n/)
    .flatMap((paragraph) => {
      const field = (name: string): string =>
        new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(paragraph)?.[1]?.trim() ?? "";
      const [name, status] = [field("Package"), field("Status")];
      if (name === "" || (status !== "" && !status.endsWith(" installed"))) return [];
      return [{ name, version: field("Version"), architecture: field("Architecture") }];
    });
