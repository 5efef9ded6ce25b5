/** The types under each TypeScript, from modules and from CommonJS. Before 5.7 the library's own files need `skipLibCheck`. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, installed, program, run, runtime } from "./case.ts";

const versions = ["5.4", "5.7", "5.9", "6.0", "7.0"] as const;
const modules = ["node16", "nodenext", "bundler"] as const;

export const typescripts: readonly Case[] = versions.flatMap((version) =>
  modules.map((module) => ({
    name: `TypeScript ${version}, ${module}`,
    run: async ({ folder }) => {
      const files = module === "bundler" ? ["use.ts"] : ["use.mts", "use.cts"];
      for (const file of files) cpSync(program("typed/use.ts"), join(folder, file));
      const compilerOptions = {
        target: "ES2022",
        lib: ["ES2023", "ESNext.Disposable"],
        module: module === "bundler" ? "ESNext" : module,
        moduleResolution: module,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: version === "5.4",
        noEmit: true,
        types: ["node"],
        typeRoots: [installed("@types")],
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      await run(folder, [runtime("node"), installed(`typescript-${version}/bin/tsc`), "--project", "."]);
      return files.join(" ");
    },
  })),
);
