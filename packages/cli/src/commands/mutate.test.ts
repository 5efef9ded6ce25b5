import assert from "node:assert/strict";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { put, sampleArtifact, sampleImage, sampleIndex, tar } from "@dray/testkit";
import type { ImageConfig } from "dray/image";
import { type Descriptor, type Digest, type Index, type Manifest, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

type Json = Readonly<Record<string, unknown>>;

const image = sampleImage({ seed: "mutate", layers: 6 });
const docker = sampleImage({ seed: "mutate-docker", docker: true });
const index = sampleIndex({ seed: "mutate", platforms: ["linux/amd64", "linux/arm64"], attestations: true });

const { registry, host, at, dray, done } = await commands("mutate");
const app = `${host}/team/app`;
const { log } = registry;

describe("mutate", () => {
  const manifestOf = async <T = Manifest>(name: string): Promise<T> =>
    JSON.parse((await done("manifest", `${app}:${name}`)).stdout) as T;
  /** The configuration that these flags make of one, as the registry has it afterwards. */
  const changed = async (flags: readonly string[], from = "1"): Promise<Json> => {
    await done("mutate", ...flags, "--tag", `${app}:changed`, `${app}:${from}`);
    return JSON.parse((await done("config", `${app}:changed`)).stdout) as Json;
  };
  const config = JSON.parse(new TextDecoder().decode(image.blobs.get(image.config.digest))) as Json;
  const inside = config["config"] as Json;

  before(async () => {
    put(registry, "team/app", "1", image);
    put(registry, "team/app", "docker", docker);
    put(registry, "team/app", "multi", index);
    put(registry, "team/app", "sbom", sampleArtifact({ seed: "mutate" }));
    const flags =
      "--expose 80/tcp --volume /data --user 1 --workdir /srv --stop-signal SIGINT --health-cmd true --shell /bin/bash,-c " +
      "--onbuild RUN --author me --entrypoint /bin/init --cmd serve --annotation a=1 --os-feature f,g";
    await done("mutate", ...flags.split(" "), "--tag", `${app}:full`, `${app}:1`);
  });

  const rows: readonly [flags: readonly string[], after: Json, top?: Json][] = [
    [["-e", "A=1,B=2", "--env", "PATH=/bin"], { Env: ["PATH=/bin", "A=1,B=2"] }],
    [["-l", "a=b,c", "--label", "x=1,y=2"], { Labels: { seed: "mutate", a: "b,c", x: "1", y: "2" } }],
    [["--entrypoint", '/bin/sh,-c,"a,b"'], { Entrypoint: ["/bin/sh", "-c", "a,b"], Cmd: undefined }],
    [["--entrypoint", "/bin/sh", "--keep-cmd"], { Entrypoint: ["/bin/sh"] }],
    [["--entrypoint", "/bin/sh", "--entrypoint", "-c", "--cmd", "a"], { Entrypoint: ["/bin/sh", "-c"], Cmd: ["a"] }],
    [["--entrypoint", "", "--cmd", "", "-u", "", "-w", ""], {}],
    [["-u", "1000:1000", "-w", "/srv"], { User: "1000:1000", WorkingDir: "/srv" }],
    [["--exposed-ports", "80/tcp,53/udp"], { ExposedPorts: { "80/tcp": {}, "53/udp": {} } }],
    [
      ["--expose", "80", "--volume", "/a", "--volume", "/b"],
      { ExposedPorts: { "80": {} }, Volumes: { "/a": {}, "/b": {} } },
    ],
    [["--stop-signal", "SIGINT", "--shell", "/bin/bash,-c"], { StopSignal: "SIGINT", Shell: ["/bin/bash", "-c"] }],
    [["--onbuild", "RUN a, b", "--onbuild", "RUN c"], { OnBuild: ["RUN a, b", "RUN c"] }],
    [
      ["--health-cmd", "curl x", "--health-interval", "30s", "--health-timeout", "500ms", "--health-retries", "3"],
      { Healthcheck: { Test: ["CMD-SHELL", "curl x"], Interval: 30e9, Timeout: 5e8, Retries: 3 } },
    ],
    [
      ["--health-start-period", "1m", "--health-start-interval", "2s"],
      { Healthcheck: { StartPeriod: 60e9, StartInterval: 2e9 } },
    ],
    [["--no-healthcheck"], { Healthcheck: { Test: ["NONE"] } }],
    [["--author", "me", "--created", "2026-01-31T12:00:00Z"], {}, { author: "me", created: "2026-01-31T12:00:00Z" }],
    [["--set-platform", "linux/arm64/v8:1.2"], {}, { architecture: "arm64", variant: "v8", "os.version": "1.2" }],
    [["--os-feature", "a,b"], {}, { "os.features": ["a", "b"] }],
    [
      ["--remove-env", "PATH", "--remove-label", "seed", "--remove", "cmd"],
      { Env: undefined, Labels: undefined, Cmd: undefined },
    ],
    [["--remove-env", "NOPE", "--remove-port", "80", "--remove-volume", "/a"], {}],
  ];
  for (const [flags, wanted, top = {}] of rows)
    test(flags.join(" "), async () => {
      const { config: made, ...rest } = await changed(flags);
      const { config: _, ...before } = config;
      assert.deepEqual(rest, { ...before, ...top });
      const expected = Object.fromEntries(
        Object.entries({ ...inside, ...wanted }).filter(([, value]) => value !== undefined),
      );
      assert.deepEqual(made, expected);
    });

  test("what was set is taken away again, and the image is what it was", async () => {
    const whole =
      "entrypoint,cmd,user,workdir,ports,volumes,stop-signal,healthcheck,shell,onbuild,author,os-features,annotations,variant,os-version,subject";
    await done("mutate", "--remove", whole, "--tag", `${app}:bare`, `${app}:full`);
    await done("mutate", "--cmd", "/bin/hello", "--tag", `${app}:again`, `${app}:bare`);
    const again = JSON.parse((await done("config", `${app}:again`)).stdout) as Json;
    assert.deepEqual(again, config);
    const single = [
      "--remove-port",
      "80",
      "--remove-volume",
      "/data",
      "--remove-annotation",
      "a",
      "--remove",
      "labels,env,created",
    ];
    const { config: made, ...rest } = await changed(single, "full");
    assert.deepEqual(Object.keys(rest).includes("created"), false);
    for (const member of ["ExposedPorts", "Volumes", "Labels", "Env"]) assert.equal((made as Json)[member], undefined);
    assert.equal((await manifestOf("changed")).annotations, undefined);
  });

  test("prints the reference by digest, of the repository where it went; the old tag is the default", async () => {
    await done("cp", `${app}:1`, `${app}:own`);
    const own = await done("mutate", "-u", "5", `${app}:own`);
    const { digest } = registry.manifest("team/app", "own") as { digest: Digest };
    assert.equal(own.stdout, `${app}@${digest}\n`);
    assert.notEqual(digest, image.root.digest);
    assert.match(own.stderr, /^pushed .*:own: sha256:.* \(2 moved, .*\)\n$/);
    const beside = await done("mutate", "-u", "6", `${app}@${image.root.digest}`);
    assert.match(beside.stdout, /@sha256:/);
    // It did not go to the digest that was named.
    assert.ok(beside.stderr.startsWith(`pushed ${app}@${image.root.digest} to ${app}: sha256:`), beside.stderr);
    assert.equal(registry.manifest("team/app", "1")?.digest, image.root.digest);
    const other = `${host}/other/app`;
    const repo = await done("mutate", "-u", "5", "--repo", other, `${app}:1`);
    assert.equal(repo.stdout, `${other}@${digest}\n`);
    assert.equal(registry.manifest("other/app", digest)?.digest, digest);
    assert.equal((await done("mutate", "-u", "5", "-t", `${other}:t`, `${app}:1`)).stdout, `${other}@${digest}\n`);
    const same = await done("mutate", "-e", "PATH=/usr/bin:/bin", "-t", `${app}:same`, `${app}:1`);
    assert.equal(same.stdout, `${app}@${image.root.digest}\n`);
  });

  test("moves no layer, and asks for little besides manifest and configuration", async () => {
    await done("cp", `${app}:1`, `${app}:few`);
    const before = log.entries.length;
    await done("mutate", "-l", "few=1", `${app}:few`);
    const asked = log.entries.slice(before).filter(({ target }) => target.startsWith("/v2/team/app/"));
    const said = asked.map(({ method, target }) => `${method} ${target}`);
    const manifests = said.filter((each) => /^(?:GET|PUT) .*\/manifests\/few$/.test(each));
    assert.equal(manifests.length, 2, said.join("\n"));
    assert.ok(said.length - manifests.length <= 5, said.join("\n"));
    for (const { digest } of image.layers) assert.ok(!said.some((each) => each.includes(digest)), said.join("\n"));
  });

  test("of an index: every image, or the chosen ones; attestations of what changed are left out, and told", async () => {
    const { stderr, stdout } = await done(
      "mutate",
      "-u",
      "7",
      "-a",
      "k=v",
      "-a",
      "index:i=1",
      "-a",
      "manifest-descriptor:d=2",
      "-t",
      `${app}:all`,
      `${app}:multi`,
    );
    assert.match(stderr, /Warning: 2 attestations of what changed are left out/);
    assert.equal(stdout, `${app}@${registry.manifest("team/app", "all")?.digest}\n`);
    const all = await manifestOf<Index>("all");
    assert.deepEqual([all.annotations, all.manifests.length], [{ i: "1" }, 2]);
    for (const [at, { platform, annotations }] of all.manifests.entries()) {
      assert.deepEqual([platform, annotations], [index.images[at]?.platform, { d: "2" }]);
      const one = JSON.parse(
        (await done("config", "--platform", `linux/${platform?.architecture}`, `${app}:all`)).stdout,
      ) as Json;
      assert.equal((one["config"] as Json)["User"], "7");
      const manifest = JSON.parse(
        (await done("manifest", "--platform", `linux/${platform?.architecture}`, `${app}:all`)).stdout,
      ) as Manifest;
      assert.deepEqual(manifest.annotations, { k: "v" });
    }
    await done("mutate", "-u", "7", "--platform", "linux/arm64", "-t", `${app}:some`, `${app}:multi`);
    const some = await manifestOf<Index>("some");
    assert.deepEqual(
      some.manifests.map(({ digest }) => index.manifests.has(digest)),
      [true, false, true],
    );
    await done("validate", "--remote", `${app}:all`);
    await done("validate", "--remote", `${app}:some`);
  });

  test("media types, to OCI and to Docker, and a subject", async () => {
    await done("mutate", "--media-types", "oci", "-t", `${app}:oci`, `${app}:docker`);
    assert.equal(registry.manifest("team/app", "oci")?.mediaType, mediaTypes.ociManifest);
    await done("mutate", "--media-types", "docker", "-t", `${app}:back`, `${app}:oci`);
    assert.equal(registry.manifest("team/app", "back")?.digest, docker.root.digest);
    const lossy = await dray("mutate", "--media-types", "docker", "-t", `${app}:lossy`, `${app}:full`);
    assert.deepEqual([lossy.exitCode, /cannot express of .*: annotations/.test(lossy.stderr)], [1, true]);
    await done("mutate", "--media-types", "docker", "--lossy", "-t", `${app}:lossy`, `${app}:full`);
    for (const subject of ["1", ":1", image.root.digest, `${app}:1`]) {
      await done("mutate", "--subject", subject, "-t", `${app}:about`, `${app}:full`);
      assert.equal((await manifestOf("about")).subject?.digest, image.root.digest);
    }
    await done("mutate", "-u", "9", "-t", `${app}:kept`, `${app}:about`);
    assert.equal((await manifestOf("kept")).subject?.digest, image.root.digest);
    await done("mutate", "--remove", "subject", "-t", `${app}:gone`, `${app}:kept`);
    assert.equal((await manifestOf("gone")).subject, undefined);
  });

  test("-o writes a file that docker loads, and prints nothing; -o json tells; --dry-run does nothing", async () => {
    const file = at("changed.tar");
    const { stdout } = await done("mutate", "-u", "8", "-o", file, `${app}:1`);
    assert.equal(stdout, "");
    const made = JSON.parse((await done("config", `docker-archive:${file}`)).stdout) as Json;
    assert.equal((made["config"] as Json)["User"], "8");
    await done("mutate", "-u", "8", "-o", file, "--platform", "linux/arm64", `${app}:multi`);
    assert.match((await done("config", `docker-archive:${file}`)).stdout, /"arm64"/);
    const both = await done("mutate", "-u", "8", "-o", file, "-o", "json", `${app}:1`);
    const told = JSON.parse(both.stdout) as { roots: readonly (Descriptor & { destination: string })[] };
    assert.equal(told.roots[0]?.destination, file);
    const dry = await done("mutate", "-u", "99", "--dry-run", "-t", `${app}:dry`, `${app}:1`);
    assert.match(dry.stdout, new RegExp(`^${app}:1 -> ${app}:dry: sha256:[0-9a-f]{64}\n$`));
    assert.equal(registry.manifest("team/app", "dry"), undefined);
    const json = await done("mutate", "-u", "99", "--dry-run", "-o", "json", "-t", `${app}:dry`, `${app}:1`);
    assert.equal((JSON.parse(json.stdout) as Json)["dryRun"], true);
  });

  test("--append puts layers on top, of every image of an index; what else changes, changes too", async () => {
    const file = at("layer.tar");
    await writeFile(file, tar([{ path: "srv/hello", kind: "file", bytes: new TextEncoder().encode("hello\n") }]));
    await mkdir(at("folder"), { recursive: true });
    await writeFile(at("folder/name"), "folder");
    await done("mutate", "--append", `${file},${at("folder")}`, "-u", "7", "-t", `${app}:more`, `${app}:1`);
    const made = JSON.parse((await done("config", `${app}:more`)).stdout) as ImageConfig;
    assert.equal(made.config?.User, "7");
    assert.equal(made.rootfs?.diff_ids?.length, 8);
    assert.deepEqual(
      made.history?.slice(6).map(({ created_by }) => created_by),
      ["dray mutate layer.tar", "dray mutate folder"],
    );
    assert.equal((await done("cat", `${app}:more:/srv/hello`)).stdout, "hello\n");
    await done("mutate", "--append", file, "-t", `${app}:all`, `${app}:multi`);
    await done("validate", "--remote", `${app}:all`);
    for (const arch of ["amd64", "arm64"])
      assert.equal((await done("cat", "--platform", `linux/${arch}`, `${app}:all:/srv/hello`)).stdout, "hello\n");
    const missing = await dray("mutate", "--append", at("nope.tar"), "-t", `${app}:nope`, `${app}:1`);
    assert.deepEqual([missing.exitCode, /no such file or directory/.test(missing.stderr)], [5, true]);
  });

  test("of a layout, in its place and beside", async () => {
    const layout = `oci:${at("layout")}`;
    await done("cp", `${app}:multi`, `${layout}:a`);
    await done("mutate", "-u", "8", `${layout}:a`);
    await done("mutate", "-u", "9", "-t", `${layout}:b`, `${layout}:a`);
    for (const [name, user] of [
      ["a", "8"],
      ["b", "9"],
    ]) {
      await done("validate", `${layout}:${name}`);
      assert.match((await done("config", `${layout}:${name}`)).stdout, new RegExp(`"User":"${user}"`));
    }
  });

  const refused: readonly [words: readonly string[], exitCode: number, says: RegExp][] = [
    [["-e", "A", "APP:1"], 2, /"A" has to be KEY=VALUE/],
    [["-e", "=1", "APP:1"], 2, /has to be KEY=VALUE/],
    [["-l", "a=1,b=2,c", "APP:1"], 2, /"c" has to be KEY=VALUE/],
    [["--cmd", 'a"b', "APP:1"], 2, /quote/],
    [["--set-platform", "linux", "APP:1"], 2, /names no architecture, such as linux\/amd64/],
    [["--set-platform", "linux/s390x", "APP:multi"], 2, /name the one that is meant with --platform/],
    [["--created", "now", "APP:1"], 2, /--created.*Expected a time such as 2026-01-31T12:00:00Z/],
    [["--expose", "http", "APP:1"], 2, /port "http"/],
    [["--remove", "colour", "APP:1"], 2, /"colour" is none of entrypoint, cmd/],
    [["-u", "1", "--remove", "user", "APP:1"], 2, /takes away what another flag sets/],
    [["-a", "a=1", "--remove", "annotations", "APP:1"], 2, /takes away what another flag sets/],
    [["-l", "a=1", "--remove-label", "a", "APP:1"], 2, /"a" is set and taken away/],
    [["--no-healthcheck", "--health-retries", "1", "APP:1"], 2, /others of the flags say how/],
    [["--lossy", "APP:1"], 2, /--media-types docker/],
    [["-a", "index:a=1", "APP:1"], 2, /this is one image, and in no index/],
    [["-t", "APP:x", "--repo", "HOST/other", "APP:1"], 2, /leave one of them out/],
    [["-t", "", "APP:1"], 2, /--tag is empty/],
    [["-o", "a", "-o", "b", "APP:1"], 2, /are two files/],
    [["-o", "", "APP:1"], 2, /the name of the file is empty/],
    [["-u", "1", "APP:sbom"], 1, /is an artifact \(application\/vnd.example.sbom.v1\)/],
    [
      ["--subject", "1", "APP:docker"],
      1,
      /app:docker: .* knows no subject; give it OCI's media types as well, with --media-types oci/,
    ],
    [["-u", "1", "APP:nope"], 5, /check the name/],
    [["-u", "1", "--platform", "linux/s390x", "APP:multi"], 5, /has no image for linux\/s390x/],
    [["-u", "1"], 2, /missing required argument 'image'/],
  ];
  for (const [words, exitCode, says] of refused)
    test(`${words.join(" ")} is refused, and nothing is written`, async () => {
      const before = log.entries.filter(({ method }) => method === "PUT").length;
      const ended = await dray("mutate", ...words.map((word) => word.replace("APP", app).replace("HOST", host)));
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, "");
      assert.equal(log.entries.filter(({ method }) => method === "PUT").length, before);
    });

  test("a file is not left behind where the image cannot be changed", async () => {
    const file = at("never.tar");
    assert.equal((await dray("mutate", "-u", "1", "-o", file, `${app}:sbom`)).exitCode, 1);
    await assert.rejects(stat(file), { code: "ENOENT" });
  });
});
