/** Mirrors that others serve, files that others read: real registries behind nginx, and podman and skopeo with the same registries.conf. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  corrupt,
  type Effect,
  faults,
  type Listener,
  listen,
  memoryRegistry,
  put,
  sampleImage,
  testCertificates,
} from "@dray/testkit";
import { type DockerRegistry, findPeer, finish, startDockerRegistry } from "@dray/testkit/peers";
import { type Handler, header } from "dray/http";
import { containersPlaces } from "./clients.ts";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { freeAddress, type Running, serveAt } from "./serving.ts";

const image = sampleImage({ seed: "mirrors", layers: 2, layerSize: 1_500_000 });
const lines = (text: string, pattern: RegExp): string[] => text.split("\n").filter((line) => pattern.test(line));

describe("a registry behind two mirrors", {
  skip: missing(
    ["docker-registry", findPeer("docker-registry")],
    ["registry", findPeer("registry")],
    ["nginx", findPeer("nginx")],
  ),
}, () => {
  let shop: Sandbox;
  let [origin, behind, second]: (DockerRegistry | undefined)[] = [];
  let nginx: Running | undefined;
  let stopped = false;
  before(async () => {
    shop = await workshop();
    [origin, behind, second] = await Promise.all([
      startDockerRegistry({ peer: "registry" }),
      startDockerRegistry(),
      startDockerRegistry(),
    ]);
    const memory = memoryRegistry();
    put(memory, "team/app", "v1", image);
    const source = await listen(memory.handler);
    for (const registry of [origin, behind, second])
      await shop.ok(["cp", `${source.host}/team/app:v1`, `${registry?.host}/team/app:v1`]);
    await source.close();
    const { ca, server, client } = testCertificates();
    const folder = shop.path("nginx");
    await mkdir(folder);
    for (const [name, pem] of [
      ["ca.pem", ca.cert],
      ["server.pem", server.cert],
      ["server.key", server.key],
      ["client.cert", client.cert],
      ["client.key", client.key],
    ] as const)
      await writeFile(`${folder}/${name}`, pem, { mode: 0o600 });
    const address = await freeAddress();
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    await writeFile(
      `${folder}/nginx.conf`,
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  log_format asked '$request_method $uri $arg_ns $status';
  access_log ${folder}/access.log asked;
  ${places.join(" ")}
  server {
    listen ${address} ssl;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${folder}/ca.pem;
    ssl_verify_client on;
    location /hub/v2/ { proxy_pass http://${behind?.host}/v2/; }
    location / { return 404; }
  }
}
`,
    );
    nginx = await serveAt(address, ["nginx", "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`]);
    const hosts = shop.path("certs.d", (origin?.host ?? "").replace(/:(\d+)$/, "_$1_"));
    await mkdir(hosts, { recursive: true });
    await writeFile(
      `${hosts}/hosts.toml`,
      `server = "http://${origin?.host}"
[host."https://${address}/hub"]
  capabilities = ["pull", "resolve"]
  ca = "${folder}/ca.pem"
  client = [["${folder}/client.cert", "${folder}/client.key"]]
[host."http://${second?.host}"]
  capabilities = ["pull", "resolve"]
`,
    );
  });
  after(async () => {
    if (!stopped) await nginx?.stop();
    await Promise.all([origin?.close(), behind?.close(), second?.close()]);
    await shop.close();
  });

  const pulled = async (name: string): Promise<string> => {
    const out = shop.path(name);
    const words = [
      "pull",
      "-v",
      "--mirrors",
      shop.path("certs.d"),
      "--format",
      "oci",
      `${origin?.host}/team/app:v1`,
      out,
    ];
    const { code, stderr } = await shop.dray(words);
    assert.equal(code, 0, stderr);
    const index = JSON.parse(await readFile(`${out}/index.json`, "utf8")) as { manifests: { digest: string }[] };
    assert.equal(index.manifests[0]?.digest, image.root.digest);
    return stderr;
  };

  test("comes from the one with TLS and a client certificate, then from the other, then from itself", async () => {
    const first = await pulled("first");
    const asked = lines(await readFile(shop.path("nginx/access.log"), "utf8"), /blobs/);
    assert.equal(asked.length, 3, asked.join("\n"));
    for (const line of asked)
      assert.match(
        line,
        new RegExp(`^GET /hub/v2/team/app/blobs/sha256:\\w+ ${encodeURIComponent(origin?.host ?? "")} 200$`),
      );
    assert.equal(lines(first, /^GET http:/).length, 0, first);

    await nginx?.stop();
    stopped = true;
    const next = await pulled("second");
    assert.match(
      next,
      /Warning: the mirror https:\/\/127\.0\.0\.1:\d+ of .* is passed over for a minute: .*connection refused/,
    );
    assert.equal(lines(next, new RegExp(`^GET http://${second?.host}/v2/team/app/blobs/\\S+ -> 200`)).length, 3, next);
    assert.equal(lines(next, new RegExp(`^GET http://${origin?.host}/`)).length, 0, next);

    await second?.empty();
    const last = await pulled("third");
    assert.equal(lines(last, new RegExp(`^GET http://${origin?.host}/v2/team/app/blobs/\\S+ -> 200`)).length, 3, last);
  });
});

describe("three mirrors of which two fail in different ways", () => {
  let shop: Sandbox;
  const servers: Listener[] = [];
  /** By the place of a server: all that came in `Authorization`. */
  const seen: Set<string>[] = [];
  before(async () => {
    shop = await workshop();
    const passwords = ["origin-secret", "first-secret", "second-secret", "third-secret"];
    const registries = passwords.map((password) => {
      const registry = memoryRegistry({ access: { scheme: "basic", users: { ann: password } } });
      put(registry, "team/app", "v1", image);
      return registry.handler;
    });
    const [whole, first, second, third] = registries as [Handler, Handler, Handler, Handler];
    // It hears who asks before it fails.
    const refusing: Effect = (request, next) =>
      header(request.headers, "Authorization") === undefined ? next(request) : answerWith(503)(request, next);
    const failing = faults(first, [{ target: /manifests|blobs/, effect: refusing }]);
    const lying = faults(second, [{ method: "GET", target: /blobs/, effect: corrupt(700_000) }]);
    for (const handler of [whole, failing, lying, third]) {
      const own = new Set<string>();
      seen.push(own);
      servers.push(
        await listen((request) => {
          const value = header(request.headers, "Authorization");
          if (value !== undefined) own.add(Buffer.from(value.replace(/^Basic /, ""), "base64").toString());
          return handler(request);
        }),
      );
    }
    const [origin, ...mirrors] = servers.map(({ host }) => host);
    const tables = mirrors.map((host) => `[[registry.mirror]]\nlocation = "${host}"\ninsecure = true\n`).join("");
    await writeFile(shop.path("registries.conf"), `[[registry]]\nlocation = "${origin}"\ninsecure = true\n${tables}`);
    const auths = Object.fromEntries(
      servers.map(({ host }, at) => [host, { auth: Buffer.from(`ann:${passwords[at]}`).toString("base64") }]),
    );
    await mkdir(shop.path("docker"));
    await writeFile(shop.path("docker/config.json"), JSON.stringify({ auths }));
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await shop.close();
  });

  test("a pull goes on, whole, and no credential reaches the wrong host", async () => {
    const [origin] = servers.map(({ host }) => host);
    const env = { CONTAINERS_REGISTRIES_CONF: shop.path("registries.conf") };
    const { code, stderr } = await shop.dray(["cp", `${origin}/team/app:v1`, `oci:${shop.path("layout")}:v1`], { env });
    assert.equal(code, 0, stderr);
    await shop.ok(["validate", `oci:${shop.path("layout")}:v1`]);
    assert.equal(lines(stderr, /^Warning: the mirror .* is passed over/).length, 2, stderr);
    assert.match(stderr, /answered 503/);
    assert.match(stderr, /something else/);
    assert.deepEqual(
      seen.map((own) => [...own]),
      [[], ["ann:first-secret"], ["ann:second-secret"], ["ann:third-secret"]],
    );
  });
});

describe("podman and skopeo read the same registries.conf and pull from where we pull", {
  skip: missing(["skopeo", findPeer("skopeo")], ["podman", findPeer("podman")]),
}, () => {
  let shop: Sandbox;
  const servers: Listener[] = [];
  /** Places that gave a manifest or a blob, in the order in which they were first asked with success. */
  let gave: string[] = [];
  before(async () => {
    shop = await workshop();
    await writeFile(shop.path("auth.json"), "{}");
    await writeFile(shop.path("policy.json"), JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    const [origin, full, lacking] = [memoryRegistry(), memoryRegistry(), memoryRegistry()];
    for (const repository of ["team/app", "other/app"]) put(origin, repository, "v1", image);
    for (const repository of ["team/app", "moved/app", "moved/team/app"]) put(full, repository, "v1", image);
    for (const [name, registry] of [
      ["ORIGIN", origin],
      ["FULL", full],
      ["EMPTY", lacking],
    ] as const)
      servers.push(
        await listen(async (request) => {
          const response = await registry.handler(request);
          const isContent = /\/(?:manifests|blobs)\//.test(request.target) && response.status === 200;
          if (isContent && !gave.includes(name)) gave.push(name);
          return response;
        }),
      );
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await shop.close();
  });

  const named = (text: string): string =>
    ["ORIGIN", "FULL", "EMPTY"].reduce((made, name, at) => made.replaceAll(name, servers[at]?.host ?? ""), text);
  const table = (members: string, ...mirrors: readonly string[]): string =>
    [
      `[[registry]]\ninsecure = true\n${members}\n`,
      ...mirrors.map((each) => `[[registry.mirror]]\ninsecure = true\n${each}\n`),
    ].join("");

  /** It takes a while to start, and reads the files by the same code. */
  const alsoPodman =
    /^(?:a mirror|the second one|another location|digest-only and a tag|tag-only and a digest|a blocked name)$/;
  const rows: readonly (readonly [what: string, conf: string, reference: string])[] = [
    ["no mirror", table('location = "ORIGIN"'), "ORIGIN/team/app:v1"],
    ["a mirror", table('location = "ORIGIN"', 'location = "FULL"'), "ORIGIN/team/app:v1"],
    ["a mirror that lacks it", table('location = "ORIGIN"', 'location = "EMPTY"'), "ORIGIN/team/app:v1"],
    ["the second one", table('location = "ORIGIN"', 'location = "EMPTY"', 'location = "FULL"'), "ORIGIN/team/app:v1"],
    ["a mirror with a path", table('location = "ORIGIN"', 'location = "FULL/moved"'), "ORIGIN/team/app:v1"],
    [
      "a longer prefix",
      `${table('location = "ORIGIN"', 'location = "EMPTY"')}${table('prefix = "ORIGIN/team"\nlocation = "ORIGIN/team"', 'location = "FULL/moved"')}`,
      "ORIGIN/team/app:v1",
    ],
    [
      "a prefix that ends in the midst of a name",
      table('prefix = "ORIGIN/te"\nlocation = "FULL/moved"') + table('location = "ORIGIN"'),
      "ORIGIN/team/app:v1",
    ],
    ["another location", table('prefix = "ORIGIN/team"\nlocation = "FULL/moved"'), "ORIGIN/team/app:v1"],
    [
      "another location that lacks it",
      `${table('prefix = "ORIGIN/team"\nlocation = "EMPTY/moved"')}`,
      "ORIGIN/team/app:v1",
    ],
    [
      "digest-only and a tag",
      table('location = "ORIGIN"\nmirror-by-digest-only = true', 'location = "FULL"'),
      "ORIGIN/team/app:v1",
    ],
    [
      "digest-only and a digest",
      table('location = "ORIGIN"\nmirror-by-digest-only = true', 'location = "FULL"'),
      `ORIGIN/team/app@${image.root.digest}`,
    ],
    [
      "tag-only and a tag",
      table('location = "ORIGIN"', 'location = "FULL"\npull-from-mirror = "tag-only"'),
      "ORIGIN/team/app:v1",
    ],
    [
      "tag-only and a digest",
      table('location = "ORIGIN"', 'location = "FULL"\npull-from-mirror = "tag-only"'),
      `ORIGIN/team/app@${image.root.digest}`,
    ],
    ["a blocked name", table('location = "ORIGIN"\nblocked = true', 'location = "FULL"'), "ORIGIN/team/app:v1"],
    ["the older form, which blocks", '[registries.block]\nregistries = ["ORIGIN"]\n', "ORIGIN/team/app:v1"],
    ["what makes no sense", "[[registry]\n", "ORIGIN/team/app:v1"],
    ["a table without a location", "[[registry]]\ninsecure = true\n", "ORIGIN/team/app:v1"],
  ];

  for (const [at, [what, conf, reference]] of rows.entries())
    test(what, async () => {
      const file = shop.path(`${at}.conf`);
      await writeFile(file, named(conf));
      const env = { CONTAINERS_REGISTRIES_CONF: file, REGISTRY_AUTH_FILE: shop.path("auth.json") };
      const from = async (run: () => Promise<{ readonly code: number | null }>): Promise<string> => {
        gave = [];
        const { code } = await run();
        return code === 0 ? gave.join(", then ") : "refused";
      };
      const ours = await from(() =>
        shop.here(["cp", "--mirrors", file, named(reference), `oci:${shop.path(`ours-${at}`)}:v1`]),
      );
      const copy = [
        "copy",
        "--policy",
        shop.path("policy.json"),
        `docker://${named(reference)}`,
        `oci:${shop.path(`theirs-${at}`)}:v1`,
      ];
      const skopeo = await from(() => finish(["skopeo", "--registries-conf", file, ...copy]));
      assert.equal(ours, skopeo, "skopeo");
      if (!alsoPodman.test(what)) return;
      await finish(["podman", ...containersPlaces(shop).split(" "), "rmi", "--all", "--force"]);
      const pull = [
        "podman",
        ...containersPlaces(shop).split(" "),
        "pull",
        "-q",
        "--signature-policy",
        shop.path("policy.json"),
      ];
      const podman = await from(() => finish([...pull, named(reference)], { env }));
      assert.equal(ours, podman, "podman");
    });

  const short: readonly (readonly [what: string, conf: string])[] = [
    ["an alias", '[aliases]\n"team/app" = "FULL/team/app"\n'],
    ["one registry", 'unqualified-search-registries = ["FULL"]\n'],
    ["the second of two", 'unqualified-search-registries = ["EMPTY", "FULL"]\n'],
    [
      "two, and nobody who could choose",
      'short-name-mode = "enforcing"\nunqualified-search-registries = ["FULL", "ORIGIN"]\n',
    ],
  ];
  for (const [at, [what, conf]] of short.entries())
    test(`a short name: ${what}`, async () => {
      const file = shop.path(`short-${at}.conf`);
      const insecure = ["ORIGIN", "FULL", "EMPTY"].map(
        (name) => `[[registry]]\nlocation = "${name}"\ninsecure = true\n`,
      );
      await writeFile(
        file,
        named(`${conf.startsWith("[") ? "" : conf}${insecure.join("")}${conf.startsWith("[") ? conf : ""}`),
      );
      const env = {
        CONTAINERS_REGISTRIES_CONF: file,
        REGISTRY_AUTH_FILE: shop.path("auth.json"),
        CONTAINERS_SHORT_NAME_ALIASING: "on",
      };
      const places = containersPlaces(shop).split(" ");
      await finish(["podman", ...places, "rmi", "--all", "--force"]);
      const from = async (run: () => Promise<{ readonly code: number | null }>): Promise<string> => {
        gave = [];
        const { code } = await run();
        return code === 0 ? gave.join(", then ") : "refused";
      };
      const ours = await from(() =>
        shop.here(["cp", "--short-names", "--mirrors", file, "team/app:v1", `oci:${shop.path(`short-${at}`)}:v1`]),
      );
      const pull = ["podman", ...places, "pull", "-q", "--signature-policy", shop.path("policy.json"), "team/app:v1"];
      assert.equal(ours, await from(() => finish(pull, { env })));
      assert.equal(ours, at < 3 ? "FULL" : "refused");
    });
});
