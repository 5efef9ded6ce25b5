/** The files of an image on a registry, by programs of others. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findPeer, succeed } from "@dray/testkit/peers";
import type { Sandbox } from "../dray.ts";

const [crane, umoci] = [findPeer("crane"), findPeer("umoci")];
const run = promisify(execFile);

/**
 * Names, modes, links and digests of what is in it: as umoci unpacks it where it can, which is OCI's types without zstd; else as GNU tar reads what
 * crane exports. @param types media types of the image
 */
export const treeOf = async (shop: Sandbox, image: string, types: readonly unknown[]): Promise<string> => {
  const dir = await mkdtemp(shop.path("tree-"));
  const root = join(dir, "bundle", "rootfs");
  if (types.some((type) => /docker|zstd/.test(String(type)))) {
    await mkdir(root, { recursive: true });
    await run("/bin/sh", ["-c", `${crane} export ${image} - | tar -x -C ${root}`]);
  } else {
    const layout = join(dir, "layout");
    await succeed([crane as string, "pull", "--format", "oci", image, layout]);
    const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as { manifests: object[] };
    const manifests = index.manifests.map((entry) => ({
      ...entry,
      annotations: { "org.opencontainers.image.ref.name": "x" },
    }));
    await writeFile(join(layout, "index.json"), JSON.stringify({ ...index, manifests }));
    await succeed([umoci as string, "unpack", "--rootless", "--image", `${layout}:x`, join(dir, "bundle")]);
  }
  const list = "find . -printf '%P %y %m %l\\n' | sort && find . -type f | sort | xargs -r sha256sum";
  return (await run("/bin/sh", ["-c", `cd ${root} && ${list}`])).stdout;
};
