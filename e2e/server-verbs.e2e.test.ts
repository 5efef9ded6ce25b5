/** What else clients do: every form of content, lists, deletes, referrers, other digests, images made on the spot. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { findPeer } from "@dray/testkit/peers";
import { type Client, containersPlaces, runner } from "./clients.ts";
import { missing, type Sandbox } from "./dray.ts";
import { type Everybody, everybody } from "./everybody.ts";
import { artifact, layoutOf, putAt, type SampleName, samples } from "./samples.ts";
import { type Daemon, noDaemon, type Running, serveDray } from "./serving.ts";

let shop: Sandbox;
let daemon: Daemon | undefined;
let server: Running;
let clients: readonly Client[];
let leave: Everybody["leave"];
before(async () => {
  ({ shop, clients, daemon, leave } = await everybody());
  server = await serveDray(shop, ["--data", shop.path("data")]);
  for (const name of Object.keys(samples))
    await shop.ok(["cp", `oci:${layoutOf(shop, name)}:v1`, at(`base/${name}:v1`)]);
});
after(async () => {
  await server.stop();
  await leave();
});

const at = (name: string): string => `${server.host}/${name}`;
const client = (name: string): Client => clients.find((one) => one.name === name) as Client;

/** Runs a client's words, and returns what it printed. `@/` in them stands for the server. */
const words =
  (program: string, env: () => Readonly<Record<string, string | undefined>> = () => ({}), always = () => "") =>
  async (text: string): Promise<string> => {
    const run = runner(shop, findPeer(program) ?? program, env());
    const said = `${always()} ${text}`.trim().replaceAll("@/", `${server.host}/`);
    const { code, stdout, stderr } = await run(said);
    if (code !== 0) throw new Error(`${program} ${said}: exit ${code}: ${stderr.slice(-2000)}`);
    return stdout.trim();
  };
const lines = (text: string): string[] => text.split("\n").sort();
const tags = async (repository: string): Promise<string[]> => lines((await shop.ok(["ls", at(repository)])).trim());

/** skopeo finds nothing of Docker's types in a layout, and crane pushes a layout's index in place of the one in it: they copy those. */
const copied: Readonly<Record<string, readonly string[]>> = { skopeo: ["docker", "list"], crane: ["index", "list"] };

describe("content of every form comes back as it went", () => {
  for (const name of ["skopeo", "crane", "regctl", "oras", "dray"])
    for (const [form, sample] of Object.entries(samples).filter(([form]) => copied[name]?.includes(form) !== true))
      test(`${form} by ${name}`, {
        skip: name === "dray" ? false : missing([name, findPeer(name)]),
      }, async () => {
        assert.equal(
          await client(name).push(server, `forms/${name}-${form}:v1`, form as SampleName),
          sample.root.digest,
        );
        assert.equal(await client(name).pull(server, `forms/${name}-${form}:v1`), sample.root.digest);
      });

  const pulls: readonly (readonly [name: string, form: SampleName])[] = [
    ["podman", "index"],
    ["podman", "image"],
    ["podman", "zstd"],
    ["podman", "docker"],
    ["podman", "list"],
    ["docker", "index"],
    ["docker", "image"],
    // Debian's dockerd unpacks no zstd.
    ["docker", "docker"],
    ["docker", "list"],
  ];
  for (const [name, form] of pulls)
    test(`${form} pulled by ${name}`, {
      skip: name === "docker" ? noDaemon() : missing([name, findPeer(name)]),
    }, async () => {
      const digest = await client(name).pull(server, `base/${form}:v1`);
      const { root, manifests } = samples[form];
      assert.ok(digest === root.digest || manifests.has(digest as typeof root.digest), digest);
    });
});

describe("skopeo", { skip: missing(["skopeo", findPeer("skopeo")]) }, () => {
  const skopeo = words("skopeo", () => ({ REGISTRY_AUTH_FILE: shop.path("skopeo.json") }));

  test("inspects and lists", async () => {
    const { Digest, RepoTags, Architecture } = JSON.parse(
      await skopeo("inspect --tls-verify=false docker://@/base/image:v1"),
    ) as Record<string, unknown>;
    assert.deepEqual([Digest, RepoTags, Architecture], [samples.image.root.digest, ["v1"], "amd64"]);
    assert.match(await skopeo("inspect --config --tls-verify=false docker://@/base/image:v1"), /"rootfs"/);
    assert.deepEqual(JSON.parse(await skopeo("list-tags --tls-verify=false docker://@/base/index")), {
      Repository: at("base/index"),
      Tags: ["v1"],
    });
  });

  test("copies within the registry, and deletes", async () => {
    const both = "--src-tls-verify=false --dest-tls-verify=false";
    for (const [form, { root }] of Object.entries(samples)) {
      await skopeo(`copy --all ${both} docker://@/base/${form}:v1 docker://@/skopeo/copy:v1`);
      assert.equal(await shop.ok(["digest", at("skopeo/copy:v1")]), `${root.digest}\n`);
    }
    await skopeo("delete --tls-verify=false docker://@/skopeo/copy:v1");
    assert.equal((await shop.dray(["digest", at("skopeo/copy:v1")])).code, 5);
  });

  test("syncs from a repository to a folder and from the folder to another place", async () => {
    const folder = shop.path("skopeo-sync");
    await mkdir(folder);
    await skopeo(`sync --all --src docker --dest dir --src-tls-verify=false @/base/index ${folder}`);
    assert.deepEqual(await readdir(folder), ["index:v1"]);
    await skopeo(`sync --all --src dir --dest docker --dest-tls-verify=false ${folder} @/synced`);
    assert.equal(await shop.ok(["digest", at("synced/index:v1")]), `${samples.index.root.digest}\n`);
  });
});

describe("podman and buildah", {
  skip: missing(["podman", findPeer("podman")], ["buildah", findPeer("buildah")]),
}, () => {
  const auth = (name: string) => () => ({ REGISTRY_AUTH_FILE: shop.path(`${name}.json`) });
  const podman = words("podman", auth("podman"), () => containersPlaces(shop));
  const buildah = words("buildah", auth("buildah"), () => containersPlaces(shop));

  test("an image built from nothing is pushed in both forms, and with zstd", async () => {
    // Of content that the registry has packed otherwise, podman takes what is there.
    for (const name of ["built", "zstd"]) {
      const context = shop.path(`context-${name}`);
      await mkdir(context);
      await writeFile(`${context}/hello`, `hello ${name}`);
      await writeFile(`${context}/Containerfile`, "FROM scratch\nCOPY hello /hello\nLABEL a=b\n");
      await buildah(`bud -q --isolation chroot -f ${context}/Containerfile -t localhost/${name}:v1 ${context}`);
    }
    const forms = {
      oci: "application/vnd.oci.image.manifest.v1+json",
      v2s2: "application/vnd.docker.distribution.manifest.v2+json",
    };
    for (const [form, mediaType] of Object.entries(forms)) {
      await buildah(`push -q --tls-verify=false --format ${form} localhost/built:v1 docker://@/built/app:${form}`);
      const manifest = await shop.ok(["manifest", at(`built/app:${form}`)]);
      assert.equal((JSON.parse(manifest) as { mediaType: string }).mediaType, mediaType);
      assert.match(await shop.ok(["validate", "--remote", at(`built/app:${form}`)]), /^PASS/);
    }
    await podman(
      "push -q --tls-verify=false --format oci --compression-format zstd localhost/zstd:v1 docker://@/built/zstd:v1",
    );
    assert.match(await shop.ok(["manifest", at("built/zstd:v1")]), /layer\.v1\.tar\+zstd/);
    assert.match(await shop.ok(["validate", "--remote", at("built/zstd:v1")]), /^PASS/);
    await podman("rmi --all --force");
    await podman("pull -q --tls-verify=false docker://@/built/zstd:v1");
  });

  test("a list is made and pushed with all its images, and the registry is searched", async () => {
    await podman("manifest create localhost/list:v1");
    for (const name of ["image", "docker"])
      await podman(`manifest add --tls-verify=false localhost/list:v1 docker://@/base/${name}:v1`);
    await podman("manifest push --all --tls-verify=false localhost/list:v1 docker://@/built/list:v1");
    assert.match(await shop.ok(["validate", "--remote", at("built/list:v1")]), /^PASS/);
    assert.match(await podman("search --tls-verify=false --list-tags @/base/zstd"), /base\/zstd +v1/);
    assert.match(await podman("search --tls-verify=false --limit 100 @/base"), /base\/image/);
  });
});

describe("docker", { skip: noDaemon() }, () => {
  const docker = words("docker", () => ({ DOCKER_HOST: daemon?.socket, DOCKER_CONFIG: shop.path("docker-client") }));

  test("pushes all tags, looks at a list, and says what is not there", async () => {
    await docker(`load -q -i ${shop.path("image.tar")}`);
    for (const tag of ["a", "b"]) await docker(`tag demo/image:v1 @/docker/all:${tag}`);
    await docker("push -q -a @/docker/all");
    assert.deepEqual(await tags("docker/all"), ["a", "b"]);
    for (const form of ["index", "list"])
      assert.match(await docker(`manifest inspect --insecure @/base/${form}:v1`), /"architecture": "arm64"/);
    await assert.rejects(docker("manifest inspect --insecure @/base/absent:v1"), /no such manifest/);
    await assert.rejects(docker("pull -q @/base/image:absent"), /not found|manifest unknown/);
  });

  test("builds from nothing and pushes", async () => {
    const context = shop.path("docker-context");
    await mkdir(context);
    await writeFile(`${context}/hello`, "hello");
    await writeFile(`${context}/Dockerfile`, "FROM scratch\nCOPY hello /hello\n");
    const run = runner(shop, "docker", {
      DOCKER_HOST: daemon?.socket,
      DOCKER_CONFIG: shop.path("docker-client"),
      DOCKER_BUILDKIT: "0",
    });
    const { code, stderr } = await run(`build -q -t ${at("docker/built:v1")} ${context}`);
    assert.equal(code, 0, stderr);
    await docker("push -q @/docker/built:v1");
    assert.match(await shop.ok(["validate", "--remote", at("docker/built:v1")]), /^PASS/);
  });
});

describe("crane", { skip: missing(["crane", findPeer("crane")]) }, () => {
  const crane = words("crane", () => ({ DOCKER_CONFIG: shop.path("crane") }));

  test("lists, validates, copies, tags, appends, changes and deletes", async () => {
    for (const [form, { root }] of Object.entries(samples)) {
      await crane(`copy --insecure @/base/${form}:v1 @/crane/app:v1`);
      assert.equal(await crane("digest --insecure @/crane/app:v1"), root.digest);
    }
    await crane("tag --insecure @/crane/app:v1 v2");
    assert.deepEqual(lines(await crane("ls --insecure @/crane/app")), ["v1", "v2"]);
    assert.ok((await crane(`catalog --insecure ${server.host}`)).includes("crane/app"));
    assert.match(await crane("validate --insecure --remote @/base/image:v1"), /^PASS/);
    assert.match(await crane("append --insecure -b @/base/image:v1 -f /dev/null -t @/crane/appended:v1"), /sha256:/);
    await crane("mutate --insecure @/base/image:v1 -l changed=yes -t @/crane/changed:v1");
    assert.match(await crane("config --insecure @/crane/changed:v1"), /"changed":"yes"/);
    await crane("delete --insecure @/crane/app:v2");
    assert.equal((await tags("crane/app")).includes("v2"), false);
  });
});

describe("regctl", { skip: missing(["regctl", findPeer("regctl")]) }, () => {
  const regctl = words("regctl", () => ({ REGCTL_CONFIG: shop.path("regctl.json") }));
  // It learns of the server.
  before(() => client("regctl").push(server, "regctl/app:v1"));

  test("lists, gives tags, deletes a tag and leaves the manifest", async () => {
    await regctl("image copy @/regctl/app:v1 @/regctl/app:v2");
    assert.deepEqual(lines(await regctl("tag ls @/regctl/app")), ["v1", "v2"]);
    await regctl("tag rm @/regctl/app:v2");
    assert.deepEqual(await tags("regctl/app"), ["v1"]);
    assert.ok((await regctl(`repo ls ${server.host}`)).includes("regctl/app"));
    await regctl(`manifest head @/regctl/app@${samples.index.root.digest}`);
  });

  test("attaches, lists and copies with what is attached", async () => {
    await writeFile(shop.path("note.json"), "{}");
    await regctl(
      `artifact put --artifact-type application/vnd.example.note -f ${shop.path("note.json")} --subject @/regctl/app:v1`,
    );
    assert.match(await regctl("artifact list @/regctl/app:v1"), /application\/vnd\.example\.note/);
    await regctl("image copy --referrers @/regctl/app:v1 @/regctl/whole:v1");
    assert.match(await regctl("artifact list @/regctl/whole:v1"), /application\/vnd\.example\.note/);
    assert.deepEqual(await tags("regctl/whole"), ["v1"], "nothing falls back to tags");
  });

  test("an image of sha512 is made, pushed and pulled", async () => {
    await regctl(`image mod --digest-algo sha512 --create @/regctl/sha512:v1 @/base/index:v1`);
    const digest = await regctl("image digest @/regctl/sha512:v1");
    assert.match(digest, /^sha512:/);
    assert.equal(await shop.ok(["digest", at("regctl/sha512:v1")]), `${digest}\n`);
    assert.match(await shop.ok(["validate", "--remote", at("regctl/sha512:v1")]), /^PASS/);
    await shop.ok(["cp", at("regctl/sha512:v1"), at("dray/sha512:v1")]);
    assert.equal(await regctl("image digest @/dray/sha512:v1"), digest);
  });
});

describe("oras", { skip: missing(["oras", findPeer("oras")]) }, () => {
  const oras = words("oras", () => ({ DOCKER_CONFIG: shop.path("oras") }));

  test("pushes files, attaches to them, discovers, copies all of it, deletes", async () => {
    const folder = shop.path("oras-files");
    await mkdir(folder);
    await writeFile(`${folder}/hello.txt`, "hello");
    const type = "--artifact-type application/vnd.example.files";
    const file = `--disable-path-validation ${folder}/hello.txt:text/plain`;
    await oras(`push --no-tty --plain-http ${type} @/oras/files:v1 ${file}`);
    await oras(`attach --no-tty --plain-http --artifact-type application/vnd.example.note @/oras/files:v1 ${file}`);
    const discovered = await oras("discover --plain-http --format json @/oras/files:v1");
    assert.match(discovered, /application\/vnd\.example\.note/);
    await oras("cp -r --no-tty --from-plain-http --to-plain-http @/oras/files:v1 @/oras/copy:v1");
    assert.match(await oras("discover --plain-http --format json @/oras/copy:v1"), /application\/vnd\.example\.note/);
    assert.deepEqual(await tags("oras/copy"), ["v1"], "nothing falls back to tags");
    await oras("tag --plain-http @/oras/files:v1 v2 v3");
    assert.deepEqual(lines(await oras("repo tags --plain-http @/oras/files")), ["v1", "v2", "v3"]);
    assert.ok((await oras(`repo ls --plain-http ${server.host}`)).includes("oras/files"));
    await oras("manifest delete --force --plain-http @/oras/copy:v1");
    assert.deepEqual(await oras("repo tags --plain-http @/oras/copy"), "");
    await oras(`pull --no-tty --plain-http -o ${shop.path("oras-pulled")} --allow-path-traversal @/oras/files:v1`);
    assert.equal(await readFile(`${folder}/hello.txt`, "utf8"), "hello");
  });
});

describe("dray", () => {
  test("pulls, pushes, lists, draws, deletes", async () => {
    await shop.ok(["pull", "--format", "oci", at("base/index:v1"), shop.path("pulled")]);
    const pushed = await shop.ok(["push", shop.path("pulled"), at("dray/app:v1")]);
    assert.ok(pushed.includes(samples.index.root.digest));
    await putAt(samples.image, `oci:${shop.path("referred")}:v1`);
    await shop.ok(["cp", at("base/image:v1"), at("dray/referred:v1")]);
    await putAt(artifact, `oci:${shop.path("artifact")}:v1`);
    await shop.ok(["cp", `oci:${shop.path("artifact")}:v1`, at("dray/referred:sbom")]);
    assert.match(await shop.ok(["tree", at("dray/referred:v1")]), /application\/vnd\.example\.sbom/);
    assert.match(await shop.ok(["tree", at("dray/app:v1")]), /linux\/arm64/);
    await shop.ok(["cp", "--referrers", at("dray/referred:v1"), at("dray/whole:v1")]);
    assert.match(await shop.ok(["tree", at("dray/whole:v1")]), /application\/vnd\.example\.sbom/);
    await shop.ok(["tag", at("dray/app:v1"), "v2"]);
    assert.deepEqual(await tags("dray/app"), ["v1", "v2"]);
    assert.match(await shop.ok(["catalog", server.host]), /^dray\/app$/m);
    await shop.ok(["delete", at("dray/app:v2")]);
    assert.match(await shop.ok(["validate", "--remote", at("dray/whole:v1")]), /^PASS/);
  });
});
