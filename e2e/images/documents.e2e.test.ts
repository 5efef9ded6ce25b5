/** crane and dray change what images and indexes say of themselves, by the same words: configuration, diffIDs, annotations and media types are the same. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { type Finished, findPeer, finish } from "@dray/testkit/peers";
import { compare, type Image, type ImageIndex, viewOf } from "dray/image";
import { open } from "dray/locations";
import { type Index, mediaTypes } from "dray/oci";
import { missing, type Sandbox, workshop } from "../dray.ts";

const crane = findPeer("crane");

const oci = sampleImage({ seed: "documents", annotations: { was: "there" } });
const docker = sampleImage({ seed: "documents/docker", docker: true, layers: 3 });
const windows = sampleImage({ seed: "documents/windows", platform: { os: "windows", architecture: "amd64" } });
const multi = sampleIndex({
  seed: "documents",
  platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"],
});
const list = sampleIndex({ seed: "documents/list", image: { docker: true } });
const attested = sampleIndex({ seed: "documents/attested", attestations: true });

/** Flags of `mutate`, each tried on an OCI image and on Docker's. */
const mutations: readonly (readonly string[])[] = [
  ["-e", "A=1"],
  ["-e", "PATH=/bin"],
  ["-e", "A=1", "--env", "PATH=/x", "-e", "B=x=y"],
  ["-e", "A=1,B=2"],
  ["-e", "A="],
  ["-l", "a=b"],
  ["-l", "seed=other"],
  ["--label", "a=b,c=d", "--label", "e=f"],
  ["-l", "a=b,c"],
  ["-l", "a="],
  ["-a", "k=v"],
  ["-a", "k=v", "--annotation", "was=here,a=b"],
  ["--entrypoint", "/bin/sh"],
  ["--entrypoint", "/bin/sh,-c", "--cmd", "echo a"],
  ["--entrypoint", "/bin/sh", "--entrypoint", "-c"],
  ["--cmd", "a,b"],
  ["--cmd", '"a,b",c'],
  ["-u", "1000:1000"],
  ["-w", "/srv"],
  ["--exposed-ports", "80,53/udp"],
  ["--set-platform", "linux/arm64/v8"],
  ["--set-platform", "windows/amd64:10.0.17763.1"],
  ["-u", "", "-w", "", "--cmd", "", "--entrypoint", ""],
  ["-e", "A=1", "-l", "a=b", "-a", "k=v", "-u", "5", "-w", "/x", "--exposed-ports", "1/tcp", "--cmd", "a"],
];

interface Row {
  readonly words: readonly string[];
  readonly stdin?: string;
  /** Paths in which crane's is wrong, and docs/crane.md says so. */
  readonly apart?: RegExp;
}

/** crane says of an entry what its configuration's type is, as if that were what it is for. */
const artifactType = /^manifests\[\d\]\.artifactType$/;

const edited = {
  architecture: "amd64",
  os: "linux",
  author: "me",
  config: { User: "5" },
  rootfs: { type: "layers", diff_ids: oci.diffIDs },
};

/** `T` stands for where it goes, `S` for a tag in the same repository; what begins with `@` for what is there. */
const rows: readonly Row[] = [
  ...["@oci", "@docker"].flatMap((image) =>
    mutations.map((flags) => ({ words: ["mutate", ...flags, "-t", "T", image] })),
  ),
  { words: ["mutate", "-e", "Temp=C:/", "-e", "A=1", "-t", "T", "@windows"] },
  { words: ["mutate", "-u", "5", "--platform", "linux/amd64", "-t", "T", "@oci"] },
  ...["@oci", "@docker"].map((image) => ({
    words: ["mutate", "--append", "LAYER", "-e", "A=1", "-t", "T", image],
    apart: /^config\.history/,
  })),
  { words: ["index", "append", "-m", "@oci", "-t", "T"], apart: artifactType },
  { words: ["index", "append", "-m", "@oci,@windows", "--manifest", "@docker", "-t", "T"], apart: artifactType },
  { words: ["index", "append", "@multi", "@oci", "-t", "T"], apart: artifactType },
  { words: ["index", "append", "@multi", "-m", "@list", "-t", "T"], apart: artifactType },
  { words: ["index", "append", "@list", "-m", "@multi", "--flatten=false", "-t", "T"] },
  { words: ["index", "append", "--docker-empty-base", "-m", "@docker", "-t", "T"], apart: artifactType },
  { words: ["index", "filter", "--platform", "linux/arm64", "-t", "T", "@multi"] },
  { words: ["index", "filter", "--platform", "linux", "-t", "T", "@multi"] },
  { words: ["index", "filter", "--platform", "linux/arm/v7", "-t", "T", "@multi"] },
  { words: ["index", "filter", "--platform", "linux/arm64", "--platform", "windows/amd64", "-t", "T", "@multi"] },
  { words: ["index", "filter", "--platform", "linux/amd64", "-t", "T", "@list"] },
  { words: ["edit", "config", "-t", "S", "@oci"], stdin: JSON.stringify(edited) },
  { words: ["edit", "config", "-t", "S", "@docker"], stdin: "{}" },
  { words: ["edit", "manifest", "-t", "S", "@oci"], stdin: "MANIFEST" },
  { words: ["edit", "manifest", "-t", "S", "@multi"], stdin: "MANIFEST" },
];

const lists: readonly (readonly string[])[] = ["@multi", "@list", "@attested"].map((name) => ["index", "list", name]);

describe("what images say of themselves", { skip: missing(["crane", crane]), concurrency: 6 }, () => {
  const registry = memoryRegistry();
  let box: Sandbox;
  let server: Listener;
  before(async () => {
    box = await workshop();
    for (const [tag, sample] of Object.entries({ oci, docker, windows, multi, list, attested }))
      put(registry, "app", tag, sample);
    await writeFile(box.path("layer.tar"), tar([{ path: "a", kind: "file", bytes: new TextEncoder().encode("a") }]));
    server = await listen(registry.handler);
  });
  after(async () => {
    await server.close();
    await box.close();
  });

  /** Where a row of one of the two goes. */
  const places = (who: string, id: string): Readonly<Record<string, string>> => ({
    T: `${server.host}/${who}/${id}:t`,
    S: `${server.host}/app:${who}-${id}`,
    LAYER: box.path("layer.tar"),
  });
  const said = (words: readonly string[], who: string, id: string): string[] =>
    words.map((word) => places(who, id)[word] ?? word.replaceAll(/@(?=[a-z])/g, `${server.host}/app:`));
  const both = async (
    words: readonly string[],
    id: string,
    input = "",
  ): Promise<{ readonly cranes: Finished; readonly drays: Finished }> => {
    const env = { HOME: box.dir, DOCKER_CONFIG: box.path("docker") };
    const [cranes, drays] = await Promise.all([
      finish([crane as string, ...said(words, "crane", id)], { env, input }),
      box.here(said(words, "dray", id), { input }),
    ]);
    return { cranes, drays };
  };
  const viewed = async (who: string, id: string, place = "T"): Promise<Image | ImageIndex> => {
    const { store, name } = await open(places(who, id)[place] ?? "");
    return viewOf(store, await store.resolve(name));
  };
  const textOf = (tag: string): string => new TextDecoder().decode(registry.manifest("app", tag)?.bytes);

  test("are at least sixty cases", () => assert.ok(rows.length + lists.length >= 60, `${rows.length + lists.length}`));

  for (const [at, { words, stdin, apart }] of rows.entries())
    test(words.join(" "), async () => {
      const id = `row-${at}`;
      const place = words.includes("S") ? "S" : "T";
      const tag = /^@(.*)/.exec(words.at(-1) ?? "")?.[1] ?? "";
      const input =
        stdin === "MANIFEST"
          ? JSON.stringify({ ...(JSON.parse(textOf(tag)) as object), annotations: { a: "b" } })
          : stdin;
      const { cranes, drays } = await both(words, id, input);
      assert.equal(cranes.code, 0, cranes.stderr);
      assert.equal(drays.code, 0, drays.stderr);
      const shape = (text: string, who: string): string =>
        text
          .replace(`/${who}/`, "/WHO/")
          .replace(`:${who}-`, ":WHO-")
          .replace(/sha256:[0-9a-f]{64}/, "DIGEST");
      assert.equal(shape(drays.stdout, "dray"), shape(cranes.stdout, "crane"));
      const differences = await compare(await viewed("crane", id, place), await viewed("dray", id, place), {
        compressed: false,
      });
      assert.deepEqual(
        differences.filter(({ path }) => apart?.test(path) !== true),
        [],
      );
      if (apart !== undefined)
        assert.ok(differences.length > 0, "crane's mistake is gone: docs/crane.md is to be changed");
    });

  for (const words of lists)
    test(words.join(" "), async () => {
      const { cranes, drays } = await both(words, "list");
      assert.equal(drays.stdout, cranes.stdout);
    });

  test("without --tag: by digest beside a digest, over the tag, and into --repo", async () => {
    for (const who of ["crane", "dray"]) put(registry, `own/${who}`, "1", oci);
    const env = { HOME: box.dir };
    const run = async (...words: readonly string[]): Promise<void> => {
      const of = (who: string): string[] => words.map((word) => word.replace("OWN", `${server.host}/own/${who}`));
      const theirs = await finish([crane as string, ...of("crane")], { env });
      const ours = (await box.here(of("dray"))).stdout;
      assert.equal(
        ours.replace("own/dray", "WHO").split("@")[0],
        theirs.stdout.replace("own/crane", "WHO").split("@")[0],
      );
    };
    await run("mutate", "-u", "1", `OWN@${oci.root.digest}`);
    await run("mutate", "-u", "2", "--repo", "OWN/other", "OWN:1");
    for (const who of ["crane", "dray"]) assert.equal(registry.manifest(`own/${who}`, "1")?.digest, oci.root.digest);
    await run("mutate", "-u", "3", "OWN:1");
    for (const who of ["crane", "dray"]) assert.notEqual(registry.manifest(`own/${who}`, "1")?.digest, oci.root.digest);
  });

  test("-o: the same image in a file that docker loads", async () => {
    const archive = (who: string): string => box.path(`${who}.tar`);
    const words = (who: string): string[] => ["mutate", "-u", "5", "-o", archive(who), `${server.host}/app:oci`];
    assert.equal((await finish([crane as string, ...words("crane")], { env: { HOME: box.dir } })).stdout, "");
    assert.equal((await box.here(words("dray"))).stdout, "");
    const views = await Promise.all(
      ["crane", "dray"].map(async (who) => {
        const { store, name } = await open(`docker-archive:${archive(who)}`);
        return viewOf(store, await store.resolve(name));
      }),
    );
    assert.deepEqual(await compare(views[0] as Image, views[1] as Image, { compressed: false }), []);
  });

  describe("crane's own mistakes, which are not ours", () => {
    const kindOf = (who: string, id: string): string | undefined => registry.manifest(`${who}/${id}`, "t")?.mediaType;
    const indexOf = (who: string, id: string): Index =>
      JSON.parse(new TextDecoder().decode(registry.manifest(`${who}/${id}`, "t")?.bytes)) as Index;

    test("an index becomes one image", async () => {
      for (const [id, words, input] of [
        ["collapse", ["mutate", "-u", "5", "-t", "T", "@multi"], ""],
        ["collapse-arm", ["mutate", "-u", "5", "--platform", "linux/arm64", "-t", "T", "@multi"], ""],
      ] as const) {
        await both(words, id, input);
        assert.deepEqual([kindOf("crane", id), kindOf("dray", id)], [mediaTypes.ociManifest, mediaTypes.ociIndex], id);
        assert.equal(indexOf("dray", id).manifests.length, 4);
      }
    });

    test("what is edited is not taken along to another repository", async () => {
      const { cranes, drays } = await both(["edit", "config", "-t", "T", "@oci"], "elsewhere", JSON.stringify(edited));
      assert.deepEqual([cranes.code, drays.code], [1, 0]);
    });

    test("on Windows a variable that differs in case alone is there twice", async () => {
      await both(["mutate", "-e", "path=C:/", "-t", "T", "@windows"], "case");
      const env = async (who: string): Promise<unknown> => {
        const view = await viewed(who, "case");
        return view.kind === "image" ? (await view.config()).config?.Env : undefined;
      };
      assert.deepEqual([await env("crane"), await env("dray")], [["PATH=/usr/bin:/bin", "PATH=C:/"], ["PATH=C:/"]]);
    });

    test("annotations of an index are refused", async () => {
      const { cranes, drays } = await both(["mutate", "-a", "a=b", "-t", "T", "@multi"], "noted");
      assert.deepEqual([cranes.code, drays.code], [1, 0]);
    });

    test("members that it does not know are lost", async () => {
      const config = { ...edited, config: { Healthcheck: { Test: ["CMD", "a"], StartInterval: 5e9 } }, "x-mine": 1 };
      await box.here(["edit", "config", "-t", `${server.host}/app:rich`, `${server.host}/app:oci`], {
        input: JSON.stringify(config),
      });
      await both(["mutate", "-u", "5", "-t", "T", "@rich"], "rich");
      const differences = await compare(await viewed("crane", "rich"), await viewed("dray", "rich"), {
        compressed: false,
      });
      assert.deepEqual(
        differences
          .map(({ path, a }) => [path, a])
          .toSorted(([one], [other]) => String(one).localeCompare(String(other))),
        [
          ["config.config.Healthcheck.StartInterval", undefined],
          ["config.created", "0001-01-01T00:00:00Z"],
          ["config.x-mine", undefined],
        ],
      );
    });

    test("an index of nothing is pushed where nothing matches; attestations are left behind", async () => {
      const nothing = await both(["index", "filter", "--platform", "linux/s390x", "-t", "T", "@multi"], "nothing");
      assert.deepEqual([nothing.cranes.code, nothing.drays.code], [0, 5]);
      assert.equal(indexOf("crane", "nothing").manifests, null);
      assert.equal(kindOf("dray", "nothing"), undefined);
      await both(["index", "filter", "--platform", "linux/arm64", "-t", "T", "@attested"], "kept");
      assert.deepEqual([indexOf("crane", "kept").manifests.length, indexOf("dray", "kept").manifests.length], [1, 2]);
    });

    test("what is there is appended again", async () => {
      await both(["index", "append", "@multi", "-m", "@multi", "-t", "T"], "twice");
      assert.deepEqual([indexOf("crane", "twice").manifests.length, indexOf("dray", "twice").manifests.length], [8, 4]);
    });

    test("what runs nowhere is pushed: no architecture, a port of no number, a configuration that is no JSON", async () => {
      for (const [id, words, input] of [
        ["no-architecture", ["mutate", "--set-platform", "linux", "-t", "T", "@oci"], ""],
        ["no-port", ["mutate", "--exposed-ports", "http", "-t", "T", "@oci"], ""],
        ["no-json", ["edit", "config", "-t", "S", "@oci"], "text"],
        ["no-config", ["edit", "config", "-t", "S", "@oci"], ""],
      ] as const) {
        const { cranes, drays } = await both(words, id, input);
        assert.equal(cranes.code, 0, id);
        assert.notEqual(drays.code, 0, id);
        assert.equal(kindOf("dray", id) ?? registry.manifest("app", `dray-${id}`), undefined);
      }
    });
  });
});
