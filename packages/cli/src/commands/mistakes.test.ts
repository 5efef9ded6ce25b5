import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { answerWith, faults, type Listener, listen, memoryRegistry, put, sampleImage, tar } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { type Rehearsed, rehearse } from "../../test/rehearse.ts";

describe("what somebody types who is new here is answered with what to type", () => {
  const registry = memoryRegistry();
  const image = sampleImage({ seed: "mistakes" });
  const servers: Listener[] = [];
  const from = process.cwd();
  let home: string;
  let host: string;
  let pages: string;

  const serving = async (rules: Parameters<typeof faults>[1] = []): Promise<string> => {
    const server = await listen(faults(registry.handler, rules));
    servers.push(server);
    return server.host;
  };
  const dray = (words: readonly string[]): Promise<Rehearsed> => rehearse(home, ["--retry", "0", ...words]);

  before(async () => {
    home = temporaryFolder("mistakes");
    process.chdir(home);
    // Docker Hub is behind a proxy that is not there: nothing is asked of it.
    process.env["HTTPS_PROXY"] = "http://127.0.0.1:1";
    put(registry, "team/app", "1.0", image);
    host = await serving();
    const page = answerWith(404, { "Content-Type": "text/html" }, "<html><title>Not here</title></html>");
    pages = await serving([{ target: "/", effect: page }]);
    assert.equal((await dray(["pull", `${host}/team/app:1.0`, "app.tar"])).exitCode, 0);
    assert.equal((await dray(["cp", `${host}/team/app:1.0`, "oci:layout:hello"])).exitCode, 0);
    await writeFile("photos.tar", tar([{ path: "photos/a.jpg", kind: "file", bytes: Buffer.from("hello") }]));
    await mkdir("folder");
    await cp("app.tar", "folder/app.tar");
  });
  after(async () => {
    process.chdir(from);
    delete process.env["HTTPS_PROXY"];
    await Promise.all(servers.map((server) => server.close()));
  });

  test("each in one line", async () => {
    const app = `${host}/team/app`;
    const nowhere = `sha256:${"0".repeat(64)}`;
    const rows: readonly (readonly [words: readonly string[], exitCode: number, says: string])[] = [
      [["digest", `${app}:1.1`], 5, `check the name; dray ls ${app} lists its tags\n`],
      [["digest", app], 5, `check the name; no tag was said, which means latest; dray ls ${app} lists its tags\n`],
      [["digest", `${app}:latest`], 5, `check the name; dray ls ${app} lists its tags\n`],
      [["digest", `${host}/team/ap:1.0`], 5, `NAME_UNKNOWN: there is no repository team/ap; check the name\n`],
      [["digest", `${pages}/team/app:1.0`], 5, "that is a web page: check the name, and that a registry is there\n"],
      [["digest", "team/app:1.0"], 1, `; "team/app:1.0" names no registry, so Docker Hub was asked\n`],
      [["ls", "team/app"], 1, `; "team/app" names no registry, so Docker Hub was asked\n`],
      [
        ["cp", `${app}:1.0`, "out.tar"],
        1,
        `; "out.tar" names no registry, so Docker Hub was asked; a file is written as docker-archive:out.tar or oci-archive:out.tar\n`,
      ],
      [["push", `${app}:2`, "app.tar"], 2, `what is pushed comes first, dray push app.tar ${app}:2; see`],
      [["push", `${app}:2`, "layout"], 2, `what is pushed comes first, dray push layout ${app}:2; see`],
      [["push", "missing.tar", `${app}:2`], 5, "missing.tar: no such file or directory; check the path\n"],
      [["push", "layout:hello", `${app}:2`], 5, "of what lies here an image is named as oci:layout:hello\n"],
      [["push", "photos.tar", `${app}:2`], 1, "photos.tar holds no image: it has neither the manifest.json of"],
      [["pull", "app.tar", `${app}:2`], 2, `what lies here goes to a registry by dray push app.tar ${app}:2; see`],
      [["pull", `${app}:1.0`, `${app}:2`], 2, `goes to a registry by dray copy ${app}:1.0 ${app}:2; see`],
      [["pull", `${app}:1.0`], 2, "say where to: dray pull IMAGE... PATH"],
      [["push", "app.tar"], 2, "missing required argument 'image'; write dray push <path> <image>; see"],
      [["auth", "login"], 2, "missing required argument 'registry'; write dray auth login <registry>; see"],
      [["ls", `${app}:1.0`], 2, `its tags are listed by dray ls ${app}\n`],
      [["ls", host], 2, `; the repositories of a registry are listed by dray catalog ${host}\n`],
      [["ls", `${host}/`], 2, `; the repositories of a registry are listed by dray catalog ${host}; see`],
      [["ls", "registry.example.com/"], 2, "listed by dray catalog registry.example.com; see"],
      ...["inspect", "digest", "tree", "manifest", "config", "validate", "delete"].map(
        (command) =>
          [
            [command, `${host}/`],
            2,
            `the repository is empty; the repositories of a registry are listed by dray catalog ${host}\n`,
          ] as const,
      ),
      [["cp", `${host}/`, "oci:all"], 2, `listed by dray catalog ${host}\n`],
      [
        ["inspect", "registry.example.com:5000"],
        1,
        "Docker Hub was asked; the repositories of a registry are listed by dray catalog registry.example.com:5000\n",
      ],
      [
        ["blob", `${app}@${image.root.digest}`],
        5,
        `; it is a manifest, printed by dray manifest ${app}@${image.root.digest}\n`,
      ],
      [
        ["manifest", `${app}@${image.config.digest}`],
        5,
        `; it is a blob, printed by dray blob ${app}@${image.config.digest}\n`,
      ],
      [["blob", `${app}@${nowhere}`], 5, `there is no blob ${app}@${nowhere}\n`],
      [["digest", `${app}@${nowhere}`], 5, "; check the name\n"],
      [
        ["pull", "--format", "oci", `${app}:1.0`, "app.tar.d/oci:x"],
        2,
        "cannot write app.tar.d/oci:x: there is no directory",
      ],
      [["pull", `${app}:1.0`, "oci:x"], 2, `that is written by dray copy ${app}:1.0 oci:x; see`],
      [["ls", "localhost/"], 2, "listed by dray catalog localhost; see"],
      [["catalog", app], 2, `is a repository; its tags are listed by dray ls ${app}; see`],
      [["digest", `${app}:${image.root.digest}`], 2, `a digest comes after @; write ${app}@${image.root.digest}\n`],
      [
        ["ls", "oci:folder:none"],
        2,
        "names one image, which has no list of names; those of all are listed by dray ls oci:folder\n",
      ],
      [["ls", "docker-archive:app.tar:a:1"], 2, "are listed by dray ls docker-archive:app.tar\n"],
      [["ls", "docker-daemon:app:1"], 2, "are listed by dray ls docker-daemon:\n"],
      [["delete", "docker-archive:app.tar"], 1, "nothing can be deleted here; an archive is written whole: copy what"],
      [["cp", "dir:folder", `${app}:2`], 1, "dir: is not there yet; skopeo copy makes a layout of it"],
      [["cp", "docker-daemon:/run/docker.sock", `${app}:2`], 2, "its socket is named by DOCKER_HOST"],
      [["cp", `${app}:1.0`, "containers-storage:app"], 1, "and podman load -i FILE reads it\n"],
    ];
    const wrong: string[] = [];
    for (const [words, exitCode, says] of rows) {
      const { stderr, ...ended } = await dray(words);
      const isOne = stderr.startsWith("Error: ") && stderr.trimEnd().split("\n").length === 1;
      if (ended.exitCode !== exitCode || !isOne || !stderr.includes(says))
        wrong.push(`${words.join(" ")}: ${ended.exitCode} ${stderr} instead of ${says}`);
    }
    assert.deepEqual(wrong, []);
  });

  test("what is right is done as before", async () => {
    const app = `${host}/team/app`;
    await mkdir(`${host}/team`, { recursive: true });
    for (const words of [
      ["pull", `${app}:1.0`, `${host}/team/app.tar`],
      ["pull", `${app}:1.0`, "my.tar"],
      ["push", "app.tar", `${app}:3`],
      ["push", "folder/app.tar", `${app}:4`],
      ["catalog", `${host}/`],
    ])
      assert.equal((await dray(words)).exitCode, 0, words.join(" "));
  });

  test("a tag that was not said is told of where it is deleted", async () => {
    await dray(["cp", `${host}/team/app:1.0`, `${host}/team/gone`]);
    const { stderr } = await dray(["delete", `${host}/team/gone`]);
    assert.equal(stderr, `deleted ${host}/team/gone:latest\n`);
  });
});
