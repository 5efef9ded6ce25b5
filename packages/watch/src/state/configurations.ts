import type { ConfigurationFacts, Configurations } from "../client/index.ts";
import type { WatchFile } from "../file/index.ts";
import { digestBytes } from "./digest-bytes.ts";

/** Configurations in the file: what one was read for, for whatever repository, it is never read for again. */
export const fileConfigurations = (file: WatchFile): Configurations => ({
  get: (digest) => {
    const [facts] = file.statements.get("SELECT facts FROM configurations WHERE digest = ?", digestBytes(digest)) ?? [];
    return typeof facts === "string" ? (JSON.parse(facts) as ConfigurationFacts) : undefined;
  },
  set: (digest, facts) =>
    file.write(
      (on) =>
        void on.run("INSERT OR REPLACE INTO configurations VALUES (?, ?)", digestBytes(digest), JSON.stringify(facts)),
    ),
});
