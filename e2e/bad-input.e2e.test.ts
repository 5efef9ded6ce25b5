/** Words that make no sense, and registries that cannot be reached or trusted: what each gets. */
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { listen, memoryRegistry, testCertificates } from "@dray/testkit";
import { type Sandbox, workshop } from "./dray.ts";
import { type Case, isRefused, secret } from "./refusal.ts";

describe("words", { concurrency: 4 }, () => {
  let shop: Sandbox;
  before(async () => {
    shop = await workshop();
  });
  after(() => shop.close());

  const reference = (name: string, text: string, says: RegExp): Case => ({
    name: `a reference with ${name}`,
    commands: [`digest ${text}`, `pull ${text} OUT`],
    code: 2,
    says,
  });
  const usage = (name: string, command: string, says: RegExp): Case => ({ name, commands: [command], code: 2, says });

  const cases: readonly Case[] = [
    reference("an upper-case repository", "r.test/Team/app:1", /"r\.test\/Team\/app:1": .*must be lower case/),
    reference("an empty component", "r.test/team//app", /"r\.test\/team\/\/app": .*empty component/),
    reference("a tag that is none", "r.test/app:.hidden", /tag "\.hidden" must be letters/),
    reference("two tags", "r.test/app:1:2", /component "app:1" must be/),
    reference("a short digest", "r.test/app@sha256:abc", /sha256 has 64 hex digits, this has 3/),
    reference("a digest of another kind", `r.test/app@md5:${"0".repeat(32)}`, /"md5" is not supported; sha256 and/),
    reference("a port that is none", "r.test:99999/app:1", /port 99999 is outside 1 to 65535/),
    reference("a scheme", "https://r.test/app:1", /leave the scheme out/),
    usage("a path in place of a reference", "cp ./image.tar r.test/app:1", /docker-archive:\.\/image\.tar/),
    usage("a tag where a repository is needed", "ls r.test/app:1", /expected a repository without tag/),
    usage(
      "a repository where a registry is needed",
      "catalog r.test/app",
      /is a repository; its tags are listed by dray ls r\.test\/app;/,
    ),
    usage("a tag where a digest is needed", "blob r.test/app:1", /expected REPOSITORY@DIGEST/),
    usage("a tag that cannot be one", "tag r.test/app:1 .hidden", /tag "\.hidden": letters, digits/),
    usage("a platform that is none", "digest --platform a/b/c/d r.test/app:1", /platform "a\/b\/c\/d".*expected os/),
    usage("a location without a path", "cp oci: r.test/app:1", /"oci:": the path is missing; write oci:PATH/),
    {
      name: "a location of another program",
      commands: ["cp containers-storage:app r.test/app:1"],
      code: 1,
      says: /containers-storage: is not there yet; podman system service makes .*docker-daemon:.*podman save -o FILE IMAGE writes docker-archive:FILE/,
    },
    usage("an unknown command", "frobnicate r.test/app:1", /unknown command 'frobnicate'; see dray --help/),
    usage("a command with a typing error", "manifes r.test/app:1", /'manifes' \(Did you mean manifest\?\)/),
    usage("an unknown command below another", "auth frobnicate", /unknown command 'frobnicate'; see dray auth --help/),
    usage("an unknown flag", "digest --frobnicate r.test/app:1", /'--frobnicate'; see dray digest --help/),
    usage("a flag with a wrong value", "ls --limit many r.test/app", /--limit <count>.*'many'.*whole number/),
    usage("a flag with a value that is no choice", "ls --sort sideways r.test/app", /semver, natural, created/),
    usage(
      "too few words",
      "cp r.test/app:1",
      /missing required argument 'destination-location'; write dray copy <source-location> <destination-location>; see dray/,
    ),
    usage("too many words", "digest r.test/app:1 2", /too many arguments/),
    usage("half of a client certificate", "digest --cert a.pem r.test/app:1", /needs both --cert and --key/),
    usage("a pattern that is none", "ls --match /(/ r.test/app", /pattern \/\(\//),
    {
      name: "a variable with a wrong value",
      commands: ["digest r.test/app:1"],
      env: { DRAY_TIMEOUT: "soon" },
      code: 2,
      says: /DRAY_TIMEOUT="soon": Expected a duration such as 500ms/,
    },
    usage("- where nobody knows of what kind", "cp - r.test/app:1", /"-": say .* oci-archive:- or docker-archive:-/),
    usage("- for a layout", "push --index - r.test/app:1", /"-" is no directory with an OCI layout/),
    ...["pull r.test/app:1 -", "cp r.test/app:1 oci-archive:-"].map((command) =>
      usage(`an archive and JSON on stdout: ${command}`, `${command} -o json`, /cannot both go to stdout/),
    ),
    {
      name: "nothing on stdin",
      commands: ["push - r.test/app:1", "cp docker-archive:- r.test/app:1", "digest --tarball -"],
      code: 1,
      says: /standard input is empty/,
    },
    {
      name: "something else on stdin",
      commands: ["push - r.test/app:1", "cp oci-archive:- r.test/app:1"],
      input: "no archive ".repeat(100),
      code: 1,
      says: /standard input is no tar archive/,
    },
  ];
  for (const each of cases) test(each.name, () => isRefused(shop, {}, each));
});

describe("connections", { concurrency: 4 }, () => {
  let shop: Sandbox;
  const closing: (() => unknown)[] = [];
  const places: Record<string, string> = {};

  before(async () => {
    shop = await workshop();
    const { server, ca } = testCertificates();
    const tls = await listen(memoryRegistry().handler, { tls: server });
    const greets = await socketServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    const silent = await socketServer(() => {});
    closing.push(
      () => tls.close(),
      () => greets.close(),
      () => silent.close(),
    );
    Object.assign(places, { TLS: tls.host, GREETS: hostOf(greets), SILENT: hostOf(silent), HERE: shop.dir });
    const files = {
      "stranger.pem": testCertificates().ca.cert,
      "damaged.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "text.pem": "hello",
      "one.pem": ca.cert,
      "other-key.pem": server.key,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(shop.path(name), text);
  });
  after(async () => {
    for (const close of closing) await close();
    await shop.close();
  });

  const cases: readonly Case[] = [
    {
      name: "an unknown host",
      commands: ["digest no-such-host.invalid/app:1", "pull no-such-host.invalid/app:1 OUT"],
      code: 1,
      says: /no-such-host\.invalid: (no such host; check the name|.*could not be looked up; check the network)/,
    },
    {
      name: "a connection that is refused",
      commands: ["digest 127.0.0.1:1/app:1", "pull 127.0.0.1:1/app:1 OUT"],
      code: 1,
      says: /Error: reading manifest 127\.0\.0\.1:1\/app:1: cannot reach 127\.0\.0\.1:1: connection refused; check the port, and that the registry runs$/,
    },
    {
      name: "something that is no registry",
      commands: ["digest GREETS/app:1"],
      code: 1,
      says: /127\.0\.0\.1:\d+ sent something that is no HTTP; check the port/,
    },
    {
      name: "a server that says nothing",
      commands: ["digest --timeout 300ms SILENT/app:1"],
      code: 1,
      says: /within 0\.3 s \(connect time-out\).*within 0\.3 s \(headers time-out\); try again/,
    },
    {
      name: "an authority that is not trusted",
      commands: ["digest TLS/app:1", "digest --ca-file HERE/stranger.pem TLS/app:1"],
      code: 1,
      says: /127\.0\.0\.1:\d+: its certificate is signed by an unknown authority; trust its authority with --ca-file/,
    },
    {
      name: "an authority that is damaged",
      commands: ["digest --ca-file HERE/damaged.pem TLS/app:1"],
      code: 2,
      says: /--ca-file .*\/damaged\.pem: .*damaged/,
    },
    {
      name: "an authority that is none",
      commands: ["digest --ca-file HERE/text.pem TLS/app:1"],
      code: 2,
      says: /--ca-file .*\/text\.pem: holds no PEM block/,
    },
    {
      name: "an authority that is not there",
      commands: ["digest --ca-file HERE/none.pem TLS/app:1"],
      code: 2,
      says: /--ca-file .*\/none\.pem: no such file; check the path/,
    },
    {
      name: "a certificate with another's key",
      commands: ["digest --cert HERE/one.pem --key HERE/other-key.pem TLS/app:1"],
      code: 2,
      says: /--key .*\/other-key\.pem is not the key of --cert .*\/one\.pem/,
    },
    {
      name: "a proxy that is none",
      commands: ["digest --insecure r.test/app:1"],
      env: { HTTPS_PROXY: `ftp://ann:${secret}@proxy.test` },
      code: 2,
      says: /HTTPS_PROXY names a ftp:\/\/ proxy; only http:\/\/, https:\/\/ and socks5:\/\/ are supported/,
    },
    {
      name: "a proxy that is not there",
      commands: ["digest r.test/app:1"],
      env: { HTTPS_PROXY: `http://ann:${secret}@127.0.0.1:1` },
      code: 1,
      says: /cannot reach the proxy 127\.0\.0\.1:1 on the way to r\.test: connection refused/,
    },
  ];
  for (const each of cases) test(each.name, () => isRefused(shop, places, each));
});

const socketServer = async (greet: (socket: Socket) => void): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
};

const hostOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
