import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { copyFile, glob, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  type Fault,
  faults,
  hold,
  type Listener,
  type ListenOptions,
  listen,
  memoryRegistry,
  put,
  redirectTo,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  tar,
  testCertificates,
} from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { encodeJson, mediaTypes } from "dray/oci";
import { type Rehearsed, type RehearseOptions, rehearse } from "../test/rehearse.ts";

/** What is known of the message of a case: whole, and by the groups of its expression. */
type Said = readonly string[];

/** A message of the command that says what to type, how it comes about, and what who follows it types. */
interface Case {
  /** What it says; groups are handed to `follow`. */
  readonly says: RegExp;
  /** Pieces of the source from which the message is made. */
  readonly from: readonly string[];
  readonly words: readonly string[];
  readonly options?: RehearseOptions;
  /** Commands, each of which has to end well. */
  readonly follow: (...said: Said) => readonly (readonly string[] | (() => Promise<unknown>))[];
  readonly stdin?: string;
}

const root = join(import.meta.dirname, "../../..");

/** Texts that name a flag or a location and are no remedies: help, and what somebody gave. */
const noRemedies: readonly (string | RegExp)[] = [
  /(?:reference|location|layout).*such as oci:DIR/,
  /^references, or locations/,
  /^a reference, oci:DIR/,
  /^\\nFor one end only there are/,
  /^password; better by/,
  /^\\nIt takes the global flags too/,
  /^\n ?Durations are/,
  /^Durations are|^\nDurations are/,
  /^(?:oci|oci-archive|docker-archive):\$\{\w+\}$/,
  /^cannot write --image-refs/,
  /^Error: \$\{said/,
  /^`dray serve \$\{name\}`$|^\\`dray serve \$\{name\}\\`$/,
  /^--(?:ca-file|key) \$\{\w+\}.* (?:damaged|one is damaged)$/,
  /^--all-tags: ".*" has no list of names$/,
  /^say what would be (?:done|removed)|and say what it means$/,
  /^--index: ".*is no directory with an OCI layout$/,
  /^--\$\{/,
  /^as --manifest$|^\\nWith --platform or --digest the entries|^--docker-empty-base: that is/,
  /as with node --jitless\. What is compressed elsewhere/,
  // Help of mutate, and flags of it that make no sense together.
  /^\\nOf an index every image is changed|^\nThe new file comes from standard input/,
  /^--(?:entrypoint leaves|media-types docker takes away|lossy: that|remove: |no-healthcheck: |repo: a repository cannot)/,
  /^\$\{tag === "" \? "--tag" : "--repo"\} is empty/,
  /^--level(?:: nothing| \$\{level\})/,
  /names no architecture, such as \$\{os\}\/amd64$/,
  /^as --(?:tag|time)\b/,
  /^\\n(?:Layers that are compressed in the wanted way|What squashed layers take away)/,
  /^--(?:estargz: that is gzip|drop: nothing is squashed|delete: .* is about a file that stays)/,
  /^\\nOf an index (?:every image is (?:rebased|flattened)|each image gets the layers)/,
  /^--original: the image is named twice/,
  /^without --base: /,
  /^--owner <uid:gid>$/,
  /^tar c /,
  // Flags of GNU tar.
  /^--(?:null|xattrs-include=\*)$/,
  /^--oci-empty-base: there is a --base/,
  /^no --base is named: /,
  /^ --platform \$\{/,
  /^--all-tags says nothing more beside/,
  // About engines, with which e2e/engines follows it.
  /^leave out --referrers$/,
];

describe("a remedy in a message is a command that works", () => {
  const registry = memoryRegistry();
  const image = sampleImage({ seed: "remedy" });
  const index = sampleIndex({ seed: "remedies", platforms: ["linux/amd64", "linux/arm64"] });
  const [layer] = image.layers;
  const servers: Listener[] = [];
  let count = 0;
  let home: string;
  const at = (name: string): string => join(home, name);
  const serving = async (
    rules: readonly Fault[] = [],
    options: ListenOptions = {},
    from = registry,
  ): Promise<string> => {
    const server = await listen(faults(from.handler, rules), options);
    servers.push(server);
    return server.host;
  };
  const dray = (words: readonly string[], options?: RehearseOptions): Promise<Rehearsed> =>
    rehearse(home, words, options);
  /** A process of its own: what a location calls standard input is that of the process. */
  const piped = async (file: string, ...words: string[]): Promise<void> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...words], {
      stdio: [openSync(file, "r"), "ignore", "pipe"],
    });
    const [said, [exitCode]] = await Promise.all([text(child.stderr as Readable), once(child, "close")]);
    assert.equal(exitCode, 0, `${words.join(" ")}: ${said}`);
  };
  const done = async (...words: string[]): Promise<Rehearsed> => {
    const ended = await dray(words);
    assert.equal(ended.exitCode, 0, `${words.join(" ")}: ${ended.stderr}`);
    return ended;
  };

  before(async () => {
    home = temporaryFolder("remedies");
    // Whoever is not on this machine is asked through a proxy: there is none for https.
    Object.assign(process.env, { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.1,localhost,0.0.0.0" });
    put(registry, "team/app", "1", image);
    put(registry, "team/app", "multi", index);
    put(registry, "team/app", "pipe", sampleImage({ tars: [tar([{ path: "run/pipe", kind: "pipe" }])] }));
    put(registry, "spare", "1", image);
    put(registry, "team/app", "chart", sampleArtifact({ seed: "chart" }));
    const encrypted = { ...(layer ?? image.root), mediaType: `${mediaTypes.ociLayerGzip}+encrypted` };
    const mediaType = mediaTypes.ociManifest;
    const bytes = encodeJson({ schemaVersion: 2, mediaType, config: image.config, layers: [encrypted] });
    registry.addManifest("team/app", { mediaType, bytes }, "secret");
    const host = await serving();
    await done("pull", `${host}/team/app:1`, at("one.tar"));
    await done("pull", `${host}/team/app:1`, `${host}/team/app:multi`, at("both.tar"));
    await done("cp", `${host}/team/app:1`, `oci-archive:${at("one.oci")}`);
    await done("cp", `${host}/team/app:1`, `oci:${at("two")}:a`);
    await done("cp", `${host}/team/app:multi`, `oci:${at("two")}:b`);
    await done("cp", `${host}/team/app:1`, `oci:${at("layout")}:a`);
    await copyFile(at("one.oci"), at("One.oci"));
    await copyFile(at("one.oci"), at("There.oci"));
    await done("cp", `${host}/team/app:1`, `oci:${at("unnamed")}`);
    await mkdir(at("unpacked"));
    execFileSync("tar", ["-C", at("unpacked"), "-xf", at("one.tar")]);
  });
  /** The way to a registry that is not on this machine: a proxy, which has it here. */
  const proxyTo = async (host: string): Promise<string> => {
    const [hostname, port] = host.split(":");
    const proxy = createServer(({ url = "", method, headers }, response) => {
      const { pathname: path } = new URL(url);
      ask({ hostname, port, path, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }).end();
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    servers.push({
      host: address,
      close: async () => {
        proxy.closeAllConnections();
        proxy.close();
      },
    } as Listener);
    return address;
  };
  after(async () => {
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]) delete process.env[name];
    await Promise.all(servers.map((server) => server.close()));
  });

  const cases = async (): Promise<readonly Case[]> => {
    const host = await serving();
    const app = `${host}/team/app`;
    const { ca, server, client, selfSigned } = testCertificates();
    const alone = await serving([], { tls: selfSigned });
    await writeFile(at("alone.pem"), selfSigned.cert);
    for (const [name, pem] of Object.entries({ "ca.pem": ca.cert, "cert.pem": client.cert, "key.pem": client.key }))
      await writeFile(at(name), pem);
    const secure = await serving([], { tls: server });
    const mutual = await serving([], { tls: { ...server, ca: ca.cert, clientAuth: "require" } });
    const lapsed = testCertificates({ now: new Date(Date.now() - 10 * 24 * 60 * 60 * 1000) });
    const expired = await serving([], { tls: lapsed.server });
    await writeFile(at("lapsed.pem"), lapsed.ca.cert);
    const elsewhere = await serving();
    const storage = { method: "GET", target: `/blobs/${layer?.digest}`, effect: redirectTo(`http://${elsewhere}`) };
    const toPlain = await serving([storage], { tls: server });
    const private_ = memoryRegistry({ access: { scheme: "basic", users: { ann: "secret" } } });
    put(private_, "team/app", "1", image);
    const closed = await serving([], {}, private_);
    let isSilent = true;
    const empty = await serving([], {}, memoryRegistry());
    const other = await serving([], {}, private_);
    const silent = await serving([
      { target: "/manifests/", effect: hold(async () => isSilent && (await new Promise(() => {}))) },
    ]);
    const limited = await serving([
      { target: "/manifests/", nth: [1, 2], effect: answerWith(429, { "Retry-After": "1" }) },
    ]);
    await done("cp", "--platform", "linux/amd64", `${app}:multi`, `oci:${at("sparse")}:x`);
    const whole = await readFile(at("sparse/index.json"), "utf8");
    const top = index.manifests.get(index.root.digest);
    await writeFile(at(`sparse/blobs/sha256/${index.root.digest.slice(7)}`), top?.bytes ?? "");
    await writeFile(
      at("sparse/index.json"),
      JSON.stringify({
        ...JSON.parse(whole),
        manifests: [{ ...index.root, annotations: { "org.opencontainers.image.ref.name": "all" } }],
      }),
    );
    const windows = sampleImage({ seed: "windows", docker: true });
    put(registry, "team/windows", undefined, windows);
    const foreign = windows.layers.map((each) => ({
      ...each,
      mediaType: mediaTypes.dockerForeignLayer,
      urls: ["https://there.example/x"],
    }));
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: windows.config,
      layers: foreign,
    });
    registry.addManifest("team/windows", { mediaType: mediaTypes.dockerManifest, bytes }, "1");
    process.env["HTTP_PROXY"] = `http://${await proxyTo(await serving([storage]))}`;
    const fresh = (): string => `${host}/to/app:${++count}`;
    const out = (): string => at(`out-${++count}`);
    await done("cat", "--cache_path", at("kept"), `${app}:1:/etc/layer-0.conf`);
    const login = ["auth", "login", "-u", "ann", "--password-stdin", closed];
    return [
      {
        says: /-v is --verbose, and the version is told by dray version/,
        from: ["; -v is --verbose, and the version is told by dray version"],
        words: ["-v"],
        follow: () => [["version"]],
      },
      {
        says: /username and password required: -u NAME with --password-stdin, or at a terminal/,
        from: ["username and password required: -u NAME with --password-stdin, or at a terminal"],
        words: ["auth", "login", closed],
        follow: () => [login],
        stdin: "secret",
      },
      {
        says: /a registry of github needs none where that knows who we are, which dray (auth explain \S+) tells/,
        from: ["needs none where that knows who we are, which dray auth explain"],
        words: ["auth", "login", "ghcr.io"],
        follow: (_, explain = "") => [explain.split(" ")],
        stdin: "secret",
      },
      {
        says: /log in with: dray (auth login \S+) \(dray (auth explain \S+) tells/,
        from: ["log in with: dray auth login"],
        words: ["digest", `${closed}/team/app:1`],
        follow: (_, logIn = "", explain = "") => [
          [...logIn.split(" "), "-u", "ann", "--password-stdin"],
          explain.split(" "),
          ["digest", `${closed}/team/app:1`],
        ],
        options: { env: { HOME: at("nobody") } },
        stdin: "secret",
      },
      {
        says: /(--max-size) cannot be kept where tar makes the files; leave out --tar/,
        from: [" cannot be kept where tar makes the files; leave out --tar"],
        words: ["extract", "--tar", "--max-size", "1GB", `${host}/team/app:1`, out()],
        follow: (_, flag = "") => [["extract", flag, "1GB", `${host}/team/app:1`, out()]],
      },
      {
        says: /are pipes, which are left out; --tar makes them: run\/pipe/,
        from: [
          "are pipes, which are left out; --tar makes them",
          // By the same flag, and in the table beside GNU tar; whoever runs this may not be allowed to.
          "are devices, which are left out; --tar makes them",
          "have extended attributes, which are left out; --tar sets them",
        ],
        words: ["extract", `${host}/team/app:pipe`, out()],
        follow: () => {
          const directory = out();
          return [
            ["extract", "--tar", `${host}/team/app:pipe`, directory],
            async () => assert.ok((await stat(join(directory, "run/pipe"))).isFIFO()),
          ];
        },
      },
      {
        says: /image reference required without --tarball/,
        from: ["image reference required without --tarball"],
        words: ["digest"],
        follow: () => [["digest", "--tarball", at("one.tar")]],
      },
      {
        says: /cannot specify --full-ref with --tarball/,
        from: ["cannot specify --full-ref with --tarball"],
        words: ["digest", "--full-ref", "--tarball", at("one.tar")],
        follow: () => [["digest", "--tarball", at("one.tar")]],
      },
      {
        says: /a copy is made by dray (copy \S+ \S+?)(?:;|$)/m,
        from: ["a tag is given in the same repository; a copy is made by dray copy"],
        words: ["tag", `${app}:1`, `${host}/other/app:2`],
        follow: (_, copy = "") => [copy.split(" ")],
      },
      {
        says: /the tag alone is enough: dray (tag \S+ again)$/m,
        from: ["so the tag alone is enough: dray tag"],
        words: ["tag", `${app}:1`, `${app}:again`],
        follow: (_, tag = "") => [tag.split(" ")],
      },
      {
        says: /nothing to validate: name a location, --remote or --tarball/,
        from: ["nothing to validate: name a location, --remote or --tarball"],
        words: ["validate"],
        follow: () => [
          ["validate", `${app}:1`],
          ["validate", "--remote", `${app}:1`],
          ["validate", "--tarball", at("one.tar")],
        ],
      },
      {
        says: /there is a file \S+ here: check that with (--tarball) (\S+)/,
        from: ["here: check that with --tarball"],
        words: ["validate", relative(process.cwd(), at("One.oci"))],
        follow: (_, flag = "", file = "") => [["validate", flag, file]],
      },
      {
        says: /say which: (oci:\S+?);? or consider (--index)/,
        from: ["; or consider --index", "say which: ${location}"],
        words: ["push", at("two"), fresh()],
        follow: (_, which = "", flag = "") => [
          ["push", which, fresh()],
          ["push", flag, at("two"), fresh()],
        ],
      },
      {
        says: /say which: (docker-archive:.*?);? see dray/,
        from: ["say which: docker-archive:"],
        words: ["push", at("both.tar"), fresh()],
        follow: (_, which = "") => [
          ["push", which.replace(/;$/, ""), fresh()],
          ["validate", which.replace(/;$/, "")],
        ],
      },
      {
        says: /is an OCI archive; read it as (oci-archive:\S+)/,
        from: ["is an OCI archive; read it as oci-archive:"],
        words: ["cp", `docker-archive:${at("one.oci")}`, fresh()],
        follow: (_, where = "") => [["cp", where, fresh()]],
      },
      {
        says: /is a docker archive; read it as (docker-archive:\S+)/,
        from: ["is a docker archive; read it as docker-archive:"],
        words: ["cp", `oci-archive:${at("one.tar")}`, fresh()],
        follow: (_, where = "") => [["cp", where, fresh()]],
      },
      {
        says: /choose a platform, or write an OCI archive \(oci-archive:FILE\)/,
        from: ["is an index; choose a platform, or write an OCI archive (oci-archive:FILE)"],
        words: ["cp", `${app}:multi`, `docker-archive:${out()}:a/b:1`],
        follow: () => [
          ["cp", "--platform", "linux/arm64", `${app}:multi`, `docker-archive:${out()}:a/b:1`],
          ["cp", `${app}:multi`, `oci-archive:${out()}`],
        ],
      },
      {
        says: /which is an encrypted layer: .*; write an OCI archive \(oci-archive:FILE\)/,
        from: ["which is an encrypted layer"],
        words: ["pull", `${app}:secret`, out()],
        follow: () => [["cp", `${app}:secret`, `oci-archive:${out()}`]],
      },
      {
        says: /which is of type "\S+"; write an OCI layout \(oci:DIR\)/,
        from: ["which is of type"],
        words: ["cp", `oci:${at("schema1")}:x`, `docker-archive:${out()}:a/b:1`],
        follow: () => [["cp", `oci:${at("schema1")}:x`, `oci:${out()}:x`]],
      },
      {
        says: /is no image: .*, an OCI archive keeps it as it is \(oci-archive:FILE\)/,
        from: ["is no image: "],
        words: ["pull", `${app}:chart`, out()],
        follow: () => [["cp", `${app}:chart`, `oci-archive:${out()}`]],
      },
      {
        says: /a layout is a directory, an archive is oci-archive:FILE/,
        from: ["an archive is oci-archive:FILE"],
        words: ["digest", `oci:${at("one.oci")}`],
        follow: () => [["digest", `oci-archive:${at("one.oci")}`]],
      },
      {
        says: /is a directory; name a file, or write a layout as (oci:\S+)/,
        from: ["name a file, or write a layout as oci:"],
        words: ["pull", `${app}:1`, at("layout")],
        follow: (_, where = "") => [
          ["pull", `${app}:1`, out()],
          ["cp", `${app}:1`, where],
        ],
      },
      {
        says: /is a directory, not an archive; an OCI layout is read as (oci:\S+)/,
        from: ["an OCI layout is read as oci:"],
        words: ["digest", `docker-archive:${at("layout")}`],
        follow: (_, where = "") => [["digest", where]],
      },
      {
        says: /pack it again, tar -C (\S+) -cf FILE \./,
        from: ["pack it again, tar -C"],
        words: ["digest", `docker-archive:${at("unpacked")}`],
        follow: (_, folder = "") => [
          async () => execFileSync("tar", ["-C", folder, "-cf", at("packed.tar"), "."]),
          ["validate", "--tarball", at("packed.tar")],
        ],
      },
      {
        says: /is a path; say what lies there: (\S+), (\S+) or (\S+)/,
        from: ["is a path; say what lies there: "],
        words: ["cp", at("layout"), fresh()],
        follow: (_, layout = "") => [["cp", layout, fresh()]],
      },
      {
        says: /holds other bytes; remove (\S+) and copy it there again/,
        from: ["holds other bytes; remove"],
        words: ["cp", "--verify", `oci:${at("damaged")}:a`, `${empty}/damaged:1`],
        follow: (_, path = "") => [
          () => rm(path),
          ["cp", `${app}:1`, `oci:${at("damaged")}:a`],
          ["validate", `oci:${at("damaged")}:a`],
        ],
      },
      {
        says: /is no file; remove (\S+) and copy it there again/,
        from: ["is no file; remove ${path} and copy it there again"],
        words: ["cp", `oci:${at("odd")}:a`, `${empty}/odd:1`],
        follow: (_, path = "") => [
          () => rm(path, { recursive: true }),
          ["cp", `${app}:1`, `oci:${at("odd")}:a`],
          ["validate", `oci:${at("odd")}:a`],
        ],
      },
      {
        says: /bytes instead of \d+; copy it there again/,
        from: ["bytes instead of ${size}; copy it there again"],
        words: ["cp", `oci:${at("cut")}:a`, `${empty}/cut:1`],
        follow: () => [
          ["cp", `${app}:1`, `oci:${at("cut")}:a`],
          ["validate", `oci:${at("cut")}:a`],
        ],
      },
      {
        says: /name one platform, or use cp/,
        from: ["--platform: this command is about one image; name one platform, or use cp"],
        words: ["digest", "--platform", "linux/amd64,linux/arm64", `${app}:multi`],
        follow: () => [
          ["digest", "--platform", "linux/arm64", `${app}:multi`],
          ["cp", "--platform", "linux/amd64,linux/arm64", `${app}:multi`, fresh()],
        ],
      },
      {
        says: /--username: say for which of \S+ and \S+, with (--src-username) or (--dest-username)/,
        from: [": say for which of", "with --src-username or --dest-username"],
        words: ["cp", "--username", "ann", "--password", "secret", `${closed}/team/app:1`, fresh()],
        follow: (_, flag = "") => [["cp", flag, "ann", "--src-password", "secret", `${closed}/team/app:1`, fresh()]],
      },
      {
        says: /a password is for one registry, .*; keep it with dray (auth login)/,
        from: [": a password is for one registry, and "],
        words: ["validate", "--username", "ann", "--password", "secret", `${closed}/team/app:1`, `${other}/team/app:1`],
        follow: (_, logIn = "") => [
          ...[closed, other].map((place) => [...logIn.split(" "), "-u", "ann", "--password-stdin", place]),
          ["validate", `${closed}/team/app:1`, `${other}/team/app:1`],
        ],
        stdin: "secret",
      },
      {
        says: /the repositories of a registry are listed by dray (catalog \S+)$/m,
        from: ["the repositories of a registry are listed by dray catalog"],
        words: ["ls", host],
        follow: (_, catalog = "") => [catalog.split(" ")],
      },
      {
        says: /--blob: \S+ names no digest; expected REPOSITORY@DIGEST/,
        from: ["names no digest; expected REPOSITORY@DIGEST"],
        words: ["delete", "--blob", `${app}:1`],
        follow: () => [["delete", "--blob", `${host}/spare@${layer?.digest}`]],
      },
      {
        says: /--all-tags: ".*" names one tag; leave it out/,
        from: ["names one tag; leave it out"],
        words: ["cp", "-a", `oci:${at("two")}:a`, `oci:${out()}`],
        follow: () => [["cp", "-a", `oci:${at("two")}`, `oci:${out()}`]],
      },
      {
        says: /needs both --cert and --key/,
        from: ["a client certificate needs both --cert and --key"],
        words: ["digest", "--ca-file", at("ca.pem"), "--cert", at("cert.pem"), `${mutual}/team/app:1`],
        follow: () => [
          [
            "digest",
            "--ca-file",
            at("ca.pem"),
            "--cert",
            at("cert.pem"),
            "--key",
            at("key.pem"),
            `${mutual}/team/app:1`,
          ],
        ],
      },
      {
        says: /give one with (--cert) FILE (--key) FILE/,
        from: ["give one with --cert FILE --key FILE"],
        words: ["digest", "--ca-file", at("ca.pem"), "--retry", "0", `${mutual}/team/app:1`],
        follow: (_, cert = "", key = "") => [
          ["digest", "--ca-file", at("ca.pem"), cert, at("cert.pem"), key, at("key.pem"), `${mutual}/team/app:1`],
        ],
      },
      {
        says: /credentials need both: --username was given without a password \(--password-stdin\)/,
        from: ["a password (--password-stdin)"],
        words: ["digest", "--username", "ann", `${closed}/team/app:1`],
        follow: () => [["digest", "--username", "ann", "--password-stdin", `${closed}/team/app:1`]],
        stdin: "secret",
      },
      {
        says: /credentials need both: --password-stdin was given without (--username)/,
        from: [],
        words: ["digest", "--password-stdin", `${closed}/team/app:1`],
        options: { stdin: "secret" },
        follow: (_, flag = "") => [["digest", flag, "ann", "--password-stdin", `${closed}/team/app:1`]],
        stdin: "secret",
      },
      {
        says: /it is a manifest, printed by dray (manifest \S+)/,
        from: ["it is a manifest, printed by dray manifest"],
        words: ["blob", `${app}@${image.root.digest}`],
        follow: (_, manifest = "") => [manifest.split(" ")],
      },
      {
        says: /it is a blob, printed by dray (blob \S+)/,
        from: ["it is a blob, printed by dray blob"],
        words: ["manifest", `${app}@${layer?.digest}`],
        follow: (_, blob = "") => [blob.split(" "), ["blob", `${app}@${layer?.digest}`]],
      },
      {
        says: /it is a blob, printed by dray (blob \S+)/,
        from: ["it is a blob, printed by dray blob"],
        words: ["digest", `${app}@${layer?.digest}`],
        follow: (_, blob = "") => [blob.split(" ")],
      },
      {
        says: /Here an OCI archive is written by dray (copy) IMAGE (oci-archive:)FILE/,
        from: ["an OCI archive is written by dray copy IMAGE oci-archive:FILE"],
        words: ["pull", "--format", "oci-archive", `${app}:1`, out()],
        follow: (_, copy = "", prefix = "") => [[copy, `${app}:1`, `${prefix}${out()}`]],
      },
      {
        says: /Here an OCI layout is (--format oci)/,
        from: ["an OCI layout is --format oci"],
        words: ["pull", "--format", "oci-dir", `${app}:1`, out()],
        follow: (_, format = "") => [["pull", ...format.split(" "), `${app}:1`, out()]],
      },
      {
        says: /Here what docker load reads is (--format tarball)/,
        from: ["what docker load reads is --format tarball"],
        words: ["pull", "--format", "docker-archive", `${app}:1`, out()],
        follow: (_, format = "") => [["pull", ...format.split(" "), `${app}:1`, out()]],
      },
      {
        says: /is made as a directory, .*; one file is written by dray (copy \S+ \S+)/,
        from: ["is made as a directory, which a layout is"],
        words: ["pull", "--format", "oci", `${app}:1`, at("named.tar")],
        follow: (_, copy = "") => [copy.replace("named.tar", "another.tar").split(" ")],
      },
      {
        says: /is a file; name a directory, or write an archive as (oci-archive:\S+)/,
        from: ["is a file; name a directory, or write an archive as"],
        words: ["pull", "--format", "oci", `${app}:1`, at("There.oci")],
        follow: (_, location = "") => [
          ["pull", "--format", "oci", `${app}:1`, out()],
          ["copy", `${app}:1`, location],
        ],
      },
      {
        says: /is a location: that is written by dray (copy \S+ \S+);/,
        from: ["is a location: that is written by dray copy"],
        words: ["pull", `${app}:1`, `oci-archive:${out()}`],
        follow: (_, copy = "") => [copy.split(" ")],
      },
      {
        says: /has one image, without a name: (oci:\S+)/,
        from: [],
        words: ["ls", `oci:${at("unnamed")}`],
        follow: (_, location = "") => [["inspect", location]],
      },
      {
        says: /is not known, so that it stays unless (--grace 0s) is said/,
        from: [", so that it stays unless --grace 0s is said"],
        words: ["gc", "--delete", "--dry-run", `${host}/team/app`],
        follow: (_, flag = "") => [["gc", "--delete", "--dry-run", ...flag.split(" "), `${host}/team/app`]],
      },
      {
        says: /names one image, which has no list of names; those of all are listed by dray (ls \S+)/,
        from: ["those of all are listed by dray ls"],
        words: ["ls", `oci:${at("two")}:a`],
        follow: (_, ls = "") => [ls.split(" ")],
      },
      {
        says: /says no repository, which names there do; copy each: dray (copy \S+ \S+?);/,
        from: ["which names there do; copy each: dray copy"],
        words: ["cp", "-a", `oci:${at("layout")}`, `docker-archive:${out()}`],
        follow: (_, copy = "") => [copy.replace("NAME", "team/app").split(" ")],
      },
      {
        says: /repository is empty; the repositories of a registry are listed by dray (catalog \S+)/,
        from: ["; the repositories of a registry are listed by dray catalog"],
        words: ["inspect", `${host}/`],
        follow: (_, catalog = "") => [catalog.split(" ")],
      },
      {
        says: /trust its authority with (--ca-file) FILE/,
        from: ["trust its authority with --ca-file FILE"],
        words: ["digest", `${secure}/team/app:1`],
        follow: (_, flag = "") => [["digest", flag, at("ca.pem"), `${secure}/team/app:1`]],
      },
      {
        // Bun's TLS does not tell a certificate that is signed by itself from one whose authority is unknown.
        says: /trust (?:it|its authority) with (--ca-file) FILE/,
        from: ["trust it with --ca-file FILE"],
        words: ["digest", `${alone}/team/app:1`],
        follow: (_, flag = "") => [["digest", flag, at("alone.pem"), `${alone}/team/app:1`]],
      },
      {
        says: /(--insecure) skips the check/,
        from: ["--insecure skips the check"],
        words: ["digest", "--ca-file", at("lapsed.pem"), `${expired}/team/app:1`],
        follow: (_, flag = "") => [["digest", flag, `${expired}/team/app:1`]],
      },
      {
        says: /(--insecure) follows it, and checks what comes by its digest/,
        from: ["--insecure follows it, and checks what comes by its digest"],
        words: ["cp", "--src-ca-file", at("ca.pem"), `${toPlain}/team/app:1`, `oci:${at("followed")}:1`],
        follow: (_, flag = "") => [["cp", flag, `${toPlain}/team/app:1`, `oci:${at("followed")}:1`]],
      },
      {
        says: /take what is there with (--platform) OS\/ARCH/,
        from: ["take what is there with --platform OS/ARCH"],
        words: ["cp", `oci:${at("sparse")}:all`, `${empty}/sparse:1`],
        follow: (_, flag = "") => [["cp", flag, "linux/amd64", `oci:${at("sparse")}:all`, fresh()]],
      },
      {
        says: /has several images for linux: (\S+), .*; name one with (--platform) OS\/ARCH/,
        from: ["name one with --platform OS/ARCH"],
        words: ["ls", `${app}:multi:/`],
        follow: (_, platform = "", flag = "") => [["ls", flag, platform, `${app}:multi:/`]],
      },
      {
        says: /try again, or wait longer with (--timeout)/,
        from: ["try again, or wait longer with --timeout"],
        words: ["digest", "--retry", "0", "--timeout", "300ms", `${silent}/team/app:1`],
        follow: (_, flag = "") => [async () => (isSilent = false), ["digest", flag, "60s", `${silent}/team/app:1`]],
      },
      {
        // Of the addresses of this machine that one is none which plain http is allowed for unasked.
        says: /use plain http with (--insecure), or another port/,
        from: ["use plain http with --insecure, or another port"],
        words: ["digest", `0.0.0.0:${host.split(":")[1]}/team/app:1`],
        follow: (_, flag = "") => [["digest", flag, `0.0.0.0:${host.split(":")[1]}/team/app:1`]],
      },
      {
        says: /say what comes or goes there: (\S+) or (\S+)/,
        from: ["say what comes or goes there: "],
        words: ["cp", "-", fresh()],
        follow: (_, oci = "", docker = "") => [
          () => piped(at("one.oci"), "cp", oci, fresh()),
          () => piped(at("one.tar"), "cp", docker, fresh()),
        ],
      },
      {
        says: /if that is meant, allow it with (--allow-private) (\S+)/,
        from: ["if that is meant, allow it with --allow-private"],
        words: ["cp", "--plain-http", "registry.example.com/team/app:1", `oci:${at("private")}:1`],
        follow: (_, flag = "", where = "") => [
          ["cp", flag, where, "--plain-http", "registry.example.com/team/app:1", `oci:${at("private")}:1`],
        ],
      },
      {
        says: /left out; (--allow-nondistributable-artifacts) takes such layers along/,
        from: ["--allow-nondistributable-artifacts takes such layers along"],
        words: ["cp", `${host}/team/windows:1`, `${empty}/windows:1`],
        follow: (_, flag = "") => [["cp", flag, `${host}/team/windows:1`, `${empty}/windows:2`]],
      },
      {
        says: /dray (ls \S+) lists its tags/,
        from: ["lists its tags"],
        words: ["digest", `${app}:none`],
        follow: (_, ls = "") => [ls.split(" ")],
      },
      {
        says: /nothing is known of \S+ yet; look at it with dray (watch scan \S+)/,
        from: ["yet; look at it with dray watch scan ${text}"],
        words: ["watch", "show", `${host}/team/app`],
        follow: (_, scan = "") => [scan.split(" ")],
      },
      {
        says: /no repository is known yet; dray (watch scan) REPOSITORY begins with one/,
        from: ["is known yet; dray watch scan REPOSITORY begins with one"],
        words: ["watch", "list", "--db", join(home, "new", "watch.db")],
        follow: (_, scan = "") => [[...scan.split(" "), `${host}/team/app`]],
      },
      {
        says: /its tags are listed by dray (ls \S+)$/m,
        from: ["; its tags are listed by dray ls ${repository}", "is a repository; its tags are listed by dray ls"],
        words: ["ls", `${app}:1`],
        follow: (_, ls = "") => [ls.split(" ")],
      },
      {
        says: /say which image is to stand on another base: dray (rebase) IMAGE/,
        from: ["say which image is to stand on another base: dray rebase IMAGE"],
        words: ["rebase"],
        follow: (_, word = "") => [
          [word, "--old_base", `${app}:1`, "--new_base", `${app}:1`, "-t", fresh(), `${app}:1`],
        ],
      },
      {
        says: /which base is the new one: .*; name it with (--new_base)/,
        from: [],
        words: ["rebase", "--old_base", `${app}:1`, `${app}:1`],
        follow: (_, flag = "") => [["rebase", "--old_base", `${app}:1`, flag, `${app}:1`, "-t", fresh(), `${app}:1`]],
      },
      {
        says: /say what the result is called: dray append -f FILE (-t) IMAGE/,
        from: ["-t: say what the result is called: dray append -f FILE -t IMAGE"],
        words: ["append", "-f", at("one.tar")],
        follow: (_, flag = "") => [["append", "-f", at("one.tar"), flag, fresh()]],
      },
      {
        says: /say what is appended: dray append (-f) FILE -t IMAGE/,
        from: ["-f: say what is appended: dray append -f FILE -t IMAGE"],
        words: ["append", "-t", `${app}:1`],
        follow: (_, flag = "") => [["append", flag, at("one.tar"), "-t", fresh()]],
      },
      {
        says: /what is pushed comes first, dray (push \S+ \S+);/,
        from: ["what is pushed comes first, dray push"],
        words: ["push", fresh(), at("one.tar")],
        follow: (_, push = "") => [push.split(" ")],
      },
      {
        says: /goes to a registry by dray (copy \S+ \S+);/,
        from: ["dray copy ${image} ${path}"],
        words: ["pull", `${app}:1`, fresh()],
        follow: (_, copy = "") => [copy.split(" ")],
      },
      {
        says: /goes to a registry by dray (push \S+ \S+);/,
        from: ["dray push ${image} ${path}"],
        words: ["pull", at("one.tar"), fresh()],
        follow: (_, push = "") => [push.split(" ")],
      },
      {
        says: /say where to: dray pull IMAGE\.\.\. PATH/,
        from: ["say where to: dray pull IMAGE... PATH"],
        words: ["pull", `${app}:1`],
        follow: () => [
          ["pull", `${app}:1`, out()],
          ["pull", `${app}:1`, "-"],
        ],
      },
      {
        says: /a file is written as (docker-archive:\S+) or (oci-archive:\S+)/,
        from: ["; a file is written as docker-archive:"],
        words: ["cp", "--retry", "0", `${app}:1`, "words-out.tar"],
        follow: (_, docker = "", oci = "") => {
          const here = (location: string): string => location.replace("words-out.tar", out());
          return [
            ["cp", `${app}:1`, here(docker)],
            ["cp", `${app}:1`, here(oci)],
          ];
        },
      },
      {
        says: /podman save -o FILE IMAGE writes (docker-archive:)FILE/,
        from: ["podman save -o FILE IMAGE writes docker-archive:"],
        words: ["cp", "containers-storage:app:1", fresh()],
        follow: (_, prefix = "") => [["cp", `${prefix}${at("one.tar")}`, fresh()]],
      },
      {
        says: /skopeo copy makes a layout of it, (oci:)DIR:NAME/,
        from: ["skopeo copy makes a layout of it, oci:DIR:NAME"],
        words: ["cp", `dir:${at("unpacked")}`, fresh()],
        follow: (_, prefix = "") => [["cp", `${prefix}${at("layout")}:a`, fresh()]],
      },
      {
        says: /is meant: dray (edit fs -f \S+ \S+); see/,
        from: ["-f: say which file of the image is meant: dray edit fs -f /etc/motd ${name}"],
        words: ["edit", "fs", `${app}:1`],
        follow: (_, line = "") => [[...line.split(" "), "--dry-run"]],
      },
      {
        says: /name one with (--platform) \((\S+), \S+\), or give what it is to be in each on standard input/,
        from: ["or give what it is to be in each on standard input"],
        words: ["edit", "fs", "-f", "/etc/layer-0.conf", "--dry-run", `${app}:multi`],
        options: {
          stdin: Object.assign(Readable.from([]), { isTTY: true }),
          isTerminal: true,
          env: { EDITOR: "false" },
        },
        follow: (_, flag = "", platform = "") => [
          ["edit", "fs", "-f", "/etc/layer-0.conf", "--dry-run", flag, platform, `${app}:multi`],
          ["edit", "fs", "-f", "/etc/layer-0.conf", "--dry-run", `${app}:multi`],
        ],
      },
      {
        says: /name the one that is meant with (--platform)/,
        from: ["name the one that is meant with --platform"],
        words: ["mutate", "--set-platform", "linux/s390x", "--dry-run", `${app}:multi`],
        follow: (_, flag = "") => [
          ["mutate", "--set-platform", "linux/s390x", flag, "linux/arm64", "--dry-run", `${app}:multi`],
        ],
      },
      {
        says: /say with (--tag) where the changed image goes/,
        from: ["say with --tag where the changed image goes"],
        words: ["mutate", "--user", "1", `docker-archive:${at("one.tar")}`],
        follow: (_, tag = "") => [["mutate", "--user", "1", tag, `oci:${out()}:a`, `docker-archive:${at("one.tar")}`]],
      },
      {
        says: /--repo: ".*" names an image; name its repository alone, or say (--tag)/,
        from: ["names an image; name its repository alone, or say --tag"],
        words: ["mutate", "--user", "1", "--repo", `${app}:2`, `${app}:1`],
        follow: (_, tag = "") => [
          ["mutate", "--user", "1", "--repo", app, `${app}:1`],
          ["mutate", "--user", "1", tag, `${app}:2`, `${app}:1`],
        ],
      },
      {
        says: /--repo: ".*" is no repository on a registry; say (--tag)/,
        from: ["is no repository on a registry; say --tag"],
        words: ["mutate", "--user", "1", "--repo", `oci:${at("layout")}`, `${app}:1`],
        follow: (_, tag = "") => [["mutate", "--user", "1", tag, `oci:${out()}:b`, `${app}:1`]],
      },
      {
        says: /say with (--annotation) what is set, or with (--remove-annotation) what is taken away/,
        from: ["say with --annotation what is set, or with --remove-annotation what is taken away"],
        words: ["index", "annotate", "--dry-run", `${app}:multi`],
        follow: (_, set = "", remove = "") => [
          ["index", "annotate", "--dry-run", set, "a=1", `${app}:multi`],
          ["index", "annotate", "--dry-run", remove, "a", `${app}:multi`],
        ],
      },
      {
        says: /say with (--tag) where the index goes, or name one that there is/,
        from: ["say with --tag where the index goes, or name one that there is"],
        words: ["index", "append", "--dry-run", "--manifest", `${app}:1`],
        follow: (_, tag = "") => [
          ["index", "append", "--dry-run", "--manifest", `${app}:1`, tag, `${app}:new`],
          ["index", "append", "--dry-run", "--manifest", `${app}:1`, `${app}:multi`],
        ],
      },
      {
        says: /say with (--manifest) what is appended/,
        from: ["say with --manifest what is appended"],
        words: ["index", "append", "--dry-run", `${app}:multi`],
        follow: (_, flag = "") => [["index", "append", "--dry-run", flag, `${app}:1`, `${app}:multi`]],
      },
      {
        says: /say with (--platform) what is kept, such as (\S+), /,
        from: ["say with --platform what is kept, such as linux, "],
        words: ["index", "filter", "--dry-run", `${app}:multi`],
        follow: (_, flag = "", linux = "") => [["index", "filter", "--dry-run", flag, linux, `${app}:multi`]],
      },
      {
        says: /say with (--platform) or (--digest) what is removed/,
        from: ["say with --platform or --digest what is removed"],
        words: ["index", "remove", "--dry-run", `${app}:multi`],
        follow: (_, platform = "", digest = "") => [
          ["index", "remove", "--dry-run", platform, "linux/arm64", `${app}:multi`],
          ["index", "remove", "--dry-run", digest, index.images[0]?.root.digest ?? "", `${app}:multi`],
        ],
      },
      {
        says: /is one image, and no index; dray (inspect \S+) shows it/,
        from: ["is one image, and no index; dray inspect ${name} shows it"],
        words: ["index", "list", `${app}:1`],
        follow: (_, inspect = "") => [inspect.split(" ")],
      },
      {
        says: /is one image, and no index; dray (index append) makes one of images/,
        from: ["is one image, and no index; dray index append makes one of images"],
        words: ["index", "filter", "--platform", "linux", "--dry-run", `${app}:1`],
        follow: (_, append = "") => [[...append.split(" "), "-m", `${app}:1`, "-t", `${app}:made`, "--dry-run"]],
      },
      {
        says: /is an index of several images; name one with (--platform): (\S+), /,
        from: ["is an index of several images; name one with --platform"],
        words: ["edit", "config", "--dry-run", `${app}:multi`],
        follow: (_, flag = "", platform = "") => [["edit", "config", "--dry-run", flag, platform, `${app}:multi`]],
        stdin: "{}",
      },
      {
        says: /a single image is taken out by dray (delete)/,
        from: ["is no directory with an OCI layout; a single image is taken out by dray delete"],
        words: ["layout", "gc", `oci:${at("layout")}:a`],
        follow: (_, word = "") => [
          ["cp", `oci:${at("layout")}:a`, `oci:${at("layout")}:b`],
          [word, `oci:${at("layout")}:b`],
        ],
      },
      {
        says: /is about what (--delete) deletes; say that, or (--dry-run)/,
        from: ["is about what --delete deletes; say that, or --dry-run"],
        words: ["gc", "--grace", "1d", app],
        follow: (_, deleting = "", dry = "") => [
          ["gc", deleting, "--grace", "1d", app],
          ["gc", dry, "--grace", "1d", app],
        ],
      },
      {
        says: /wait longer with (--max-wait), or try again later/,
        from: ["wait longer with --max-wait, or try again later"],
        words: ["digest", "--max-wait", "10ms", `${limited}/team/app:1`],
        follow: (_, flag = "") => [["digest", flag, "30s", `${limited}/team/app:1`]],
      },
      {
        words: ["cp", `${app}:1:/etc/layer-0.conf`, "-"],
        says: /is no path where files could go; dray (cat) (\S+) prints one/,
        from: ["is no path where files could go; dray cat "],
        follow: (_, cat = "", file = "") => [[cat, file]],
      },
      {
        words: ["cat", `${app}:1:/etc/none/file`],
        says: /has no file \/etc\/none\/file; dray (ls \S+:\/etc) lists what is there/,
        from: ["; dray ls${chosen} ${image}:"],
        follow: (_, ls = "") => [ls.split(" ")],
      },
      {
        words: ["edit", "fs", "--delete", "-f", "/etc/none", "--dry-run", `${app}:1`],
        says: /has no file \/etc\/none; dray (ls \S+:\/etc) lists what may be there/,
        from: ["; dray ls ${called}:"],
        follow: (_, ls = "") => [ls.split(" ")],
      },
      {
        words: ["cp", `${app}:1`, `${app}:1:/srv/www/index.html`],
        says: /a directory comes into one as a layer: dray (append -b \S+ -f) DIR (--prefix \/srv\/www -t \S+);/,
        from: ["a directory comes into one as a layer: dray append -b"],
        follow: (_, start = "", end = "") => [[...start.split(" "), at("unpacked"), ...end.split(" "), "--dry-run"]],
      },
      {
        words: ["cache", "ls"],
        options: { env: { HOME: "" } },
        says: /there is no HOME where layers are kept; name their directory with (--cache_path) DIRECTORY/,
        from: ["there is no HOME where layers are kept"],
        follow: (_, flag = "") => [["cache", "ls", flag, at("kept")]],
      },
      {
        words: ["cache", "prune", "--cache_path", at("kept")],
        says: /all of it is within 10\.7 GB; (--keep), (--unused-for) or (--all) remove more/,
        from: ["; --keep, --unused-for or --all remove more"],
        follow: (_, keep = "", unused = "", all = "") =>
          [[keep, "1kB"], [unused, "1h"], [all]].map((more) => [
            "cache",
            "prune",
            "--dry-run",
            "--cache_path",
            at("kept"),
            ...more,
          ]),
      },
      {
        words: ["mutate", "-a", "a=1", "--media-types", "docker", "--dry-run", `${app}:1`],
        says: /cannot express of \S+\/team\/app:1: annotations; take these away first; or convert with loss by (--lossy)/,
        from: ["or convert with loss by --lossy"],
        follow: (_, flag = "") => [
          ["mutate", "-a", "a=1", "--media-types", "docker", flag, "--dry-run", `${app}:1`],
          ["mutate", "--media-types", "docker", "--dry-run", `${app}:1`],
        ],
      },
      {
        words: ["mutate", "--subject", "1", "--dry-run", `${host}/team/windows:1`],
        says: /knows no subject; give it OCI's media types as well, with (--media-types) (oci)/,
        from: ["give it OCI's media types as well, with --media-types oci"],
        follow: (_, ...flag) => [["mutate", "--subject", "1", ...flag, "--dry-run", `${host}/team/windows:1`]],
      },
      {
        words: ["rebase", "--old_base", `${app}:pipe`, "--new_base", `${app}:1`, "--dry-run", `${app}:1`],
        says: /team\/app:1 does not stand on \S+\/team\/app:pipe: .*; name the base that it was built on with (--old_base)/,
        from: ["name the base that it was built on with --old_base"],
        follow: (_, flag = "") => [["rebase", flag, `${app}:1`, "--new_base", `${app}:1`, "--dry-run", `${app}:1`]],
      },
      {
        words: ["append", "-f", at("one.tar"), "--compression", "zstd", "-t", fresh()],
        says: /refuse layers of zstd in a manifest of Docker's types; dray (mutate) (--media-types) (oci) (\S+) gives it OCI's/,
        from: ["in a manifest of Docker's types; dray mutate --media-types oci "],
        follow: (_, ...words) => [words],
      },
      {
        words: ["doctor", `${app}:1`],
        says: /(--push) tries it, and writes into the repository for that/,
        from: ["--push tries it, and writes into the repository for that"],
        follow: (_, flag = "") => [["doctor", flag, `${app}:1`]],
      },
      {
        words: ["doctor", "--push", app.split("/")[0] ?? ""],
        says: /(--push) writes into a repository: name one, such as (\S+);/,
        from: ["--push writes into a repository: name one, such as "],
        follow: (_, flag = "", repository = "") => [["doctor", flag, repository]],
      },
      {
        words: ["doctor", "--insecure", secure],
        says: /it was not checked; trust its authority with (--ca-file) FILE instead/,
        from: ["trust its authority with --ca-file FILE instead"],
        follow: (_, flag = "") => [["doctor", flag, at("ca.pem"), secure]],
      },
      {
        words: ["digest", `${app}:1`],
        options: { env: { CONTAINERS_REGISTRIES_CONF: at("broken.conf") } },
        says: /broken\.conf:1:\d+: .*; correct it, or pass it over with (--no-mirrors)/,
        from: ["or pass it over with --no-mirrors"],
        follow: (_, flag = "") => [
          async () => {
            const env = { CONTAINERS_REGISTRIES_CONF: at("broken.conf") };
            assert.equal((await dray(["digest", flag, `${app}:1`], { env })).exitCode, 0);
          },
        ],
      },
    ];
  };

  /** What is damaged, and what is no image. */
  before(async () => {
    await mkdir(at("nobody"));
    await writeFile(at("broken.conf"), "[[registry]\n");
    const host = await serving();
    for (const name of ["damaged", "cut", "odd"]) await done("cp", `${host}/team/app:1`, `oci:${at(name)}:a`);
    const blob = (name: string): string => at(`${name}/blobs/sha256/${layer?.digest.slice(7)}`);
    const bytes = await readFile(blob("damaged"));
    await writeFile(blob("cut"), bytes.subarray(1));
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(blob("damaged"), bytes);
    await rm(blob("odd"));
    await mkdir(blob("odd"));
    const schema1 = encodeJson({
      schemaVersion: 1,
      name: "a",
      tag: "b",
      architecture: "amd64",
      fsLayers: [],
      history: [],
    });
    await done("cp", `${host}/team/app:1`, `oci:${at("schema1")}:x`);
    const { createHash } = await import("node:crypto");
    const hex = createHash("sha256").update(schema1).digest("hex");
    await writeFile(at(`schema1/blobs/sha256/${hex}`), schema1);
    const entry = {
      mediaType: mediaTypes.dockerSchema1,
      digest: `sha256:${hex}`,
      size: schema1.byteLength,
      annotations: { "org.opencontainers.image.ref.name": "x" },
    };
    await writeFile(at("schema1/index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  });

  const followed = async (isMeant: (at: number) => boolean): Promise<void> => {
    const faults: string[] = [];
    const meant = (await cases()).filter((_, i) => isMeant(i));
    for (const { says, words, options, follow, stdin = "" } of meant) {
      const name = words.join(" ");
      const ended = await dray(words, options);
      const said = says.exec(ended.stderr) ?? says.exec(ended.stdout);
      if (said === null) faults.push(`${name} does not say ${says}: ${ended.stderr}`);
      if (said === null) continue;
      for (const next of follow(...said)) {
        if (typeof next === "function") {
          await next();
          continue;
        }
        const helped = await dray(next, { stdin });
        if (helped.exitCode !== 0)
          faults.push(`${name} said to ${next.join(" ")}, which says: ${helped.stdout}${helped.stderr}`);
      }
    }
    assert.deepEqual(faults, []);
  };
  test("each second one is followed and helps", () => followed((i) => i % 2 === 0));
  test("so are the others", () => followed((i) => i % 2 === 1));

  test("there is no other in the sources", async () => {
    const known = (await cases()).flatMap(({ from }) => from);
    const [files, unknown, used] = [[] as string[], [] as string[], new Set<string>()];
    for (const folder of ["packages/cli/src", "packages/dray/src"])
      for await (const file of glob(`${folder}/**/*.ts`, { cwd: root })) files.push(file);
    for (const file of files.filter(isClient)) {
      for (const remedy of await remediesIn(join(root, file))) {
        const pieces = known.filter((piece) => remedy.includes(piece));
        for (const piece of pieces) used.add(piece);
        const isNone = noRemedies.some((pattern) =>
          typeof pattern === "string" ? remedy === pattern : pattern.test(remedy),
        );
        if (pieces.length === 0 && !isNone) unknown.push(`${file}: no test follows "${remedy}"; give it a case above`);
      }
    }
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      known.filter((piece) => !used.has(piece)),
      [],
      "these are in no message any more",
    );
  });
});

/** Not tests, and not what an operator of a server is told or what other tools' words lead to, which have tests of their own. */
const isClient = (file: string): boolean =>
  !/\.test\.ts$|commands\/(?:registry-)?serve|control-client|serve-flags|completion\/scripts|synonyms\.ts$/.test(
    file.replaceAll("\\", "/"),
  );

/** Texts of a source file that name a flag, a command or a location to type; declarations of flags and examples are none. */
const remediesIn = async (path: string): Promise<string[]> => {
  const source = (await readFile(path, "utf8")).replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const texts = [...source.matchAll(/`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)"/g)].map(
    ([, one, two]) => one ?? two ?? "",
  );
  const names =
    /(?<![\w-])--[a-z]|\bdray [a-z]|\btar -|\b(?:oci|oci-archive|docker-archive):(?:\$\{|[A-Z])|say (?:which|what)|copy it there again/;
  const declares = /^-{1,2}[\w-]+(?:, --[\w-]+)?(?: <[\w=]+>)?$|^(?:dray|echo|docker save|source|\$\(dray) |^\w+=/;
  return texts.filter((each) => names.test(each) && !declares.test(each));
};
