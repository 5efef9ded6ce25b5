import type { Act, Define } from "../context.ts";
import { type CacheOptions, cacheFlags, namedFile, openFiles } from "../files/index.ts";

export const define: Define = (command) => {
  command
    .usage("[options] IMAGE:/PATH...")
    .argument("<files...>", "files in images, such as alpine:3.20:/etc/os-release");
  for (const flag of cacheFlags()) command.addOption(flag);
};

export const examples: readonly string[] = [
  "dray cat alpine:3.20:/etc/os-release",
  "dray cat --platform linux/arm64 oci:mirror:app:/etc/passwd",
];

/** The bytes, one file after another. What a layer's digest says of them is known at their end. */
export const act: Act<CacheOptions> = async (call, words) => {
  const open = openFiles(call);
  const wanted = words.map(namedFile);
  for (const file of wanted) {
    const { files, path, finding } = await open(file);
    await finding(async () => {
      for await (const chunk of await files.open(path)) await call.out.bytes(chunk);
    });
  }
};
