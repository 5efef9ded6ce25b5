/** `npm start`: a registry in memory with something in it to look at and to copy. */
import { parseArgs } from "node:util";
import { put, sampleArtifact, sampleIndex } from "./images/index.ts";
import { type Listener, listen } from "./listen.ts";
import { type MemoryRegistry, memoryRegistry } from "./registry/index.ts";

const usage = "usage: npm start [-- --port PORT]";

/** `demo/hello`: an index of two platforms, an SBOM of it, and one of an image in it. */
const fill = (registry: MemoryRegistry): void => {
  const index = sampleIndex({
    seed: "hello",
    platforms: ["linux/amd64", "linux/arm64"],
    image: { layers: 3, layerSize: 1_000_000 },
    annotations: { "org.opencontainers.image.description": "A sample to look at and to copy" },
  });
  put(registry, "demo/hello", "1.0", index);
  put(registry, "demo/hello", "latest", index);
  const sbom = (name: string): Uint8Array =>
    new TextEncoder().encode(JSON.stringify({ spdxVersion: "SPDX-2.3", name, packages: [] }));
  for (const { root, name } of [
    { root: index.root, name: "hello" },
    ...index.images.slice(0, 1).map((image) => ({ root: image.root, name: "hello for linux/amd64" })),
  ])
    put(
      registry,
      "demo/hello",
      undefined,
      sampleArtifact({
        subject: root,
        artifactType: "application/spdx+json",
        mediaType: "application/spdx+json",
        bytes: sbom(name),
        annotations: { "org.opencontainers.image.title": `SBOM of ${name}` },
      }),
    );
};

const portOf = (args: readonly string[]): number | undefined => {
  try {
    const { values } = parseArgs({ args: [...args], options: { port: { type: "string", default: "5000" } } });
    const port = Number(values.port);
    return Number.isInteger(port) && port >= 0 && port <= 65535 ? port : undefined;
  } catch {
    return undefined;
  }
};

const main = async (args: readonly string[]): Promise<number | undefined> => {
  const port = portOf(args);
  if (port === undefined) {
    console.error(usage);
    return 2;
  }
  const registry = memoryRegistry();
  fill(registry);
  let server: Listener;
  try {
    server = await listen(registry.handler, { port });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    console.error(
      code === "EADDRINUSE"
        ? `port ${port} is taken; choose another: npm start -- --port 5001`
        : `cannot listen on port ${port}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 1;
  }
  const name = `localhost:${server.port}`;
  console.log(`A registry in memory at ${server.origin}. It forgets everything when it ends (Ctrl-C).

It holds demo/hello, tags 1.0 and latest: an index of two platforms, with SBOMs attached. Try:

  npx dray ls ${name}/demo/hello
  npx dray tree ${name}/demo/hello:1.0
  npx dray cp ${name}/demo/hello:1.0 ${name}/demo/copy:1.0 --referrers
  npx dray pull ${name}/demo/hello:1.0 hello.tar`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close());
  return undefined;
};

const code = await main(process.argv.slice(2));
if (code !== undefined) process.exitCode = code;
