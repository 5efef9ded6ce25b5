/** What `deploy/` holds, started as an operator would: the unit, the image, the executable as nobody on a read-only root. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, chown, copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sampleImage } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { findPeer, finish, freePort, succeed } from "@dray/testkit/peers";
import { anonymous, type Keychain, staticCredential } from "dray/auth";
import { bytesContent, type Located, memoryStore } from "dray/content";
import { copy } from "dray/copy";
import { digestOf, mediaTypes } from "dray/oci";
import { connect } from "dray/registry";
import { parse } from "yaml";
import { missing, workshop } from "./dray.ts";
import { noDaemon, startDaemon } from "./serving.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** What is deployed; `DRAY_EXECUTABLE` names another one than `npm run build` makes. */
const executable = process.env["DRAY_EXECUTABLE"] ?? join(root, "dist/dray");

const serves = (): string | false => {
  const { status } = spawnSync(executable, ["serve", "--help"], { stdio: "ignore" });
  if (status === null) return "missing: dist/dray (npm run build)";
  return status === 0 ? false : "dist/dray knows no `serve`; build it again (npm run build)";
};
const unprivileged = process.getuid?.() === 0 ? false : "needs root, to become somebody else and to mount";

let dir: string;
before(async () => {
  dir = temporaryFolder("deploy");
  // Others come as far as what is theirs.
  await chmod(dir, 0o755);
});
const statusOf = (url: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", () => resolve(undefined));
  });

interface Running {
  readonly host: string;
  /** Sends SIGTERM, and tells the exit code. */
  stop(): Promise<number | null>;
}

/** Starts something that serves on a port, and waits until it is ready. */
const running = async (
  command: readonly string[],
  port: number,
  end: (child: ChildProcess) => void,
): Promise<Running> => {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
  const over = new Promise<number | null>((resolve) => child.once("close", resolve));
  let code: number | null | undefined;
  void over.then((ended) => {
    code = ended;
  });
  const until = Date.now() + 60_000;
  while ((await statusOf(`http://127.0.0.1:${port}/readyz`)) !== 200) {
    if (code !== undefined || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`${program} did not become ready (exit ${code}): ${said}`);
    }
    await sleep(50);
  }
  return {
    host: `127.0.0.1:${port}`,
    stop: () => {
      end(child);
      return over;
    },
  };
};

/** What of a service in `compose.yml` means something to podman as well. */
interface Compose {
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly stop_grace_period: string;
}

const image = sampleImage({ seed: "deploy", layers: 2, layerSize: 300_000 });

/** Pushes an image, and returns nothing before it can be pulled. */
const push = async (host: string, credentials: Keychain = anonymous): Promise<void> => {
  const store = memoryStore();
  for (const bytes of image.blobs.values()) {
    const blob = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength };
    await store.write(blob, bytesContent(bytes));
  }
  for (const { mediaType, bytes } of image.manifests.values()) await store.ingest(bytesContent(bytes), { mediaType });
  await store.tag(image.root, "1");
  const registry = connect(host, { credentials, stateDir: false });
  const target: Located = { store: registry.repository("demo/app"), name: "1", location: "demo/app:1" };
  await copy({ store, name: "1", location: "memory:1" }, target);
  await registry.close();
  await pull(host, credentials);
};

const pull = async (host: string, credentials: Keychain = anonymous): Promise<void> => {
  const registry = connect(host, { credentials, stateDir: false });
  const target = memoryStore();
  const source = { store: registry.repository("demo/app"), name: "1", location: "demo/app:1" };
  const { root: pulled } = await copy(source, { store: target, name: "1", location: "memory:1" });
  await registry.close();
  assert.equal(pulled.digest, image.root.digest);
};

describe("the unit", () => {
  const analyze = findPeer("systemd-analyze");
  let unit: string;
  before(async () => {
    const text = await readFile(join(root, "deploy/dray.service"), "utf8");
    assert.match(text, /^ExecStart=\/usr\/local\/bin\/dray serve \/etc\/dray\/config\.yml$/m);
    unit = join(dir, "dray.service");
    // It wants the program to be there.
    await writeFile(unit, text.replaceAll("/usr/local/bin/dray", process.execPath));
  });

  test("systemd finds nothing wrong with it", { skip: missing(["systemd-analyze", analyze]) }, async () => {
    const { code, stdout, stderr } = await finish([analyze as string, "verify", unit]);
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  });

  test("systemd calls it well protected", { skip: missing(["systemd-analyze", analyze]) }, async () => {
    const { code, stdout } = await finish([analyze as string, "security", "--offline=true", "--threshold=15", unit]);
    assert.equal(code, 0, stdout.slice(-300));
  });
});

describe("as nobody on a read-only root", () => {
  const nobody = 65534;
  const programs = ["unshare", "setpriv", "mount"].map((name) => [name, findPeer(name)] as const);

  const start = async (): Promise<Running> => {
    const port = await freePort();
    const script = `
      mount --bind "$1" "$1"
      mount --bind "$1/data" "$1/data"
      mount -o remount,bind,ro "$1"
      mount -o remount,bind,ro /
      for place in "$1" /etc /var; do if touch "$place/dray-probe" 2>/dev/null; then echo "$place is writable"; exit 99; fi; done
      exec setpriv --reuid=${nobody} --regid=${nobody} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
        "$1/dray" serve --data "$1/data" --listen 127.0.0.1:${port}`;
    return running(
      ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec", script, "sh", dir],
      port,
      (child) => void child.kill("SIGTERM"),
    );
  };

  test("it serves, ends in order, and has everything after the next start", {
    skip: unprivileged || serves() || missing(...programs),
  }, async () => {
    const data = join(dir, "data");
    await mkdir(data);
    await chown(data, nobody, nobody);
    await copyFile(executable, join(dir, "dray"));
    await chmod(join(dir, "dray"), 0o755);
    const first = await start();
    await push(first.host);
    assert.equal(await first.stop(), 0);
    const facts = await stat(join(data, "docker/registry/v2/repositories/demo/app"));
    assert.equal(facts.uid, nobody);
    const second = await start();
    await pull(second.host);
    assert.equal(await second.stop(), 0);
  });
});

describe("the image", () => {
  const programs = ["buildah", "podman", "runc", "ldd"].map((name) => [name, findPeer(name)] as const);
  /** Nothing of the machine's own images is touched. */
  const places = (): string[] => [
    "--root",
    join(dir, "images"),
    "--runroot",
    join(dir, "run"),
    "--storage-driver",
    "vfs",
  ];

  const buildah = (...args: readonly string[]): Promise<string> => succeed(["buildah", ...places(), ...args]);

  /** No registry of images is asked: the base is the C library of this machine, and nothing else. */
  const base = async (): Promise<void> => {
    const folder = join(dir, "base");
    for (const file of (await succeed(["ldd", executable])).match(/\/\S+/g) ?? []) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await copyFile(file, join(folder, file));
    }
    const container = (await buildah("from", "scratch")).trim();
    await buildah("copy", container, folder, "/");
    await buildah("commit", "--quiet", "--rm", container, "localhost/base");
  };

  /** What the Dockerfile copies. */
  const context = async (): Promise<string> => {
    const folder = join(dir, "context");
    await mkdir(join(folder, "dist"), { recursive: true });
    await mkdir(join(folder, "deploy/data"), { recursive: true });
    await copyFile(executable, join(folder, "dist/dray"));
    for (const file of ["Dockerfile", "Dockerfile.dockerignore", "container.yml", "data/.keep"])
      await copyFile(join(root, "deploy", file), join(folder, "deploy", file));
    return folder;
  };

  const file = join(root, "deploy/Dockerfile");
  let made: Promise<unknown> | undefined;
  const built = (): Promise<unknown> =>
    (made ??= (async () => {
      await base();
      const folder = await context();
      const words = `bud --quiet --build-arg BASE=localhost/base -f ${folder}/deploy/Dockerfile -t localhost/dray ${folder}`;
      await buildah(...words.split(" "));
    })());
  const podmanOf = (): string[] => ["podman", ...places(), "--cgroup-manager", "cgroupfs", "--runtime", "runc"];

  test("it is built, and runs as nobody in particular on a read-only root", {
    skip: unprivileged || serves() || missing(...programs),
  }, async () => {
    await built();
    const port = await freePort();
    const podman = podmanOf();
    const name = `dray-${port}`;
    const words =
      `run --rm --name ${name} --network host --read-only --read-only-tmpfs=false --cap-drop all ` +
      "--security-opt no-new-privileges --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 " +
      `--volume data:/var/lib/registry --env REGISTRY_HTTP_ADDR=127.0.0.1:${port} localhost/dray`;
    const stop = [...podman.slice(1), "stop", "--time", "20", name];
    const run = (): Promise<Running> =>
      running([...podman, ...words.split(" ")], port, () => void spawn("podman", stop, { stdio: "ignore" }));
    const first = await run();
    await push(first.host);
    // As HEALTHCHECK has it.
    const text = await readFile(file, "utf8");
    const health = JSON.parse(/^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(text)?.[1] ?? "[]") as string[];
    const asked = await finish([...podman, "exec", name, ...health]);
    assert.equal(asked.code, 0, asked.stderr);
    assert.match(asked.stdout, /^running for +\d.*\n(?:.*\n)*index whole +yes$/m);
    assert.equal(await first.stop(), 0);
    const second = await run();
    await pull(second.host);
    assert.equal(await second.stop(), 0);
  });

  test("as compose.yml has it, it asks for a password, is well, and keeps what was pushed", {
    skip: unprivileged || serves() || missing(...programs),
  }, async () => {
    await built();
    const { services } = parse(await readFile(join(root, "deploy/compose.yml"), "utf8")) as {
      services: { registry: Compose };
    };
    const { read_only, cap_drop, security_opt, environment, volumes, healthcheck, stop_grace_period } =
      services.registry;
    const users = join(dir, "htpasswd");
    // `ann` with the password `secret`.
    await writeFile(users, "ann:$2y$04$5FVECItZ1kMHeRMcFrm/Ye.N8cOCp6z8XL67OQBMaNtTzlwPzyPOa\n");
    await chmod(users, 0o644);
    const [port, podman] = [await freePort(), podmanOf()];
    const name = `dray-${port}`;
    const words = [
      ...`run --rm --name ${name} --network host --ulimit nofile=4096:4096 --ulimit nproc=4096:4096`.split(" "),
      ...(read_only ? ["--read-only", "--read-only-tmpfs=false"] : []),
      ...cap_drop.flatMap((each) => ["--cap-drop", each.toLowerCase()]),
      ...security_opt.flatMap((each) => ["--security-opt", each.replace(/:true$/, "")]),
      // Beside what the file says, only the port, since all of this machine's are one in here.
      ...Object.entries({ ...environment, REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` }).flatMap(([key, value]) => [
        "--env",
        `${key}=${value}`,
      ]),
      ...volumes.flatMap((each) => ["--volume", each.replace(/^registry:/, "composed:").replace("./htpasswd", users)]),
      "localhost/dray",
    ];
    const stop = [...podman.slice(1), "stop", "--time", String(Number.parseInt(stop_grace_period, 10)), name];
    const run = (): Promise<Running> =>
      running([...podman, ...words], port, () => void spawn("podman", stop, { stdio: "ignore" }));
    const credentials = staticCredential({ username: "ann", password: "secret", source: "the test" });
    const first = await run();
    assert.equal(await statusOf(`http://${first.host}/v2/`), 401);
    await push(first.host, credentials);
    const [kind, ...health] = healthcheck.test;
    assert.equal(kind, "CMD");
    const asked = await finish([...podman, "exec", name, ...health]);
    assert.equal(asked.code, 0, asked.stderr);
    assert.equal(await first.stop(), 0);
    const second = await run();
    await pull(second.host, credentials);
    assert.equal(await second.stop(), 0);
  });

  test("docker builds it without BuildKit, with its health", {
    skip: unprivileged || serves() || noDaemon() || missing(["ldd", findPeer("ldd")], ["tar", findPeer("tar")]),
  }, async () => {
    const shop = await workshop();
    const daemon = await startDaemon(shop);
    try {
      const env = { ...shop.env, DOCKER_HOST: daemon.socket, DOCKER_BUILDKIT: "0" };
      const docker = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await finish(["docker", ...args], { env });
        assert.equal(code, 0, stderr.slice(-2000));
        return stdout;
      };
      const folder = join(dir, "libraries");
      for (const file of (await succeed(["ldd", executable])).match(/\/\S+/g) ?? []) {
        await mkdir(join(folder, dirname(file)), { recursive: true });
        await copyFile(file, join(folder, file));
      }
      const tar = join(dir, "libraries.tar");
      await succeed(["tar", "-C", folder, "-cf", tar, "."]);
      await docker("import", tar, "localhost/base");
      const place = await context();
      await docker(
        "build",
        "--build-arg",
        "BASE=localhost/base",
        "-f",
        join(place, "deploy/Dockerfile"),
        "-t",
        "dray",
        place,
      );
      const [{ Config }] = JSON.parse(await docker("image", "inspect", "dray")) as [
        { Config: { Healthcheck: { Test: string[] }; User: string } },
      ];
      assert.deepEqual(Config.Healthcheck.Test.slice(0, 4), ["CMD", "/usr/local/bin/dray", "serve", "status"]);
      assert.equal(Config.User, "65532:65532");
    } finally {
      await daemon.stop();
      await shop.close();
    }
  });
});
