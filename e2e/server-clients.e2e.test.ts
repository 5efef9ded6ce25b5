/** The clients that people have, against `dray serve`: over http, over TLS, with passwords, with tokens. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, testCertificates, tokenServer } from "@dray/testkit";
import { findPeer, succeed } from "@dray/testkit/peers";
import type { Account, Client, Site } from "./clients.ts";
import { type Sandbox } from "./dray.ts";
import { type Everybody, everybody } from "./everybody.ts";
import { noDaemon, type Running, serveDray } from "./serving.ts";

let shop: Sandbox;
let clients: readonly Client[];

let leave: Everybody["leave"];
before(async () => {
  ({ shop, clients, leave } = await everybody());
});
after(() => leave());

const names = ["skopeo", "podman", "buildah", "docker", "crane", "regctl", "oras", "dray"] as const;
const client = (name: string): Client => clients.find((one) => one.name === name) as Client;
const absent = (name: string): string | false =>
  name === "dray" ? false : name === "docker" ? noDaemon() : findPeer(name) === undefined ? `missing: ${name}` : false;

/** What the server keeps under a tag: the other end of a push, read where nobody can have made it up. */
const onDisk = (data: string, name: string): Promise<string> => {
  const [repository = "", tag = ""] = name.split(":");
  return readFile(`${data}/docker/registry/v2/repositories/${repository}/_manifests/tags/${tag}/current/link`, "utf8");
};

/** Pushes and pulls, and both ends agree. */
const roundTrip = async (one: Client, site: Site, data: string, name: string): Promise<void> => {
  const pushed = await one.push(site, name);
  assert.equal(pushed, await onDisk(data, name));
  assert.equal(await one.pull(site, name), pushed);
};

const refusal = /unauthorized|denied|authenti|401|403|incorrect|invalid username|no basic auth/i;

/** Words of the command for settings. */
const set = (...settings: readonly string[]): string[] => settings.flatMap((setting) => ["--set", setting]);

const ann: Account = { user: "ann", password: "pa55:w0rd" };

const withCertificates = async (name: string): Promise<{ ca: { file: string; folder: string }; flags: string[] }> => {
  const { ca, server } = testCertificates();
  const folder = shop.path(name);
  await mkdir(`${folder}/trust`, { recursive: true });
  const file = `${folder}/trust/ca.crt`;
  await writeFile(file, ca.cert);
  await writeFile(`${folder}/server.pem`, server.cert);
  await writeFile(`${folder}/server.key`, server.key, { mode: 0o600 });
  const flags = set(`http.tls.certificate=${folder}/server.pem`, `http.tls.key=${folder}/server.key`);
  return { ca: { file, folder: `${folder}/trust` }, flags };
};

describe("over http", () => {
  let server: Running;
  before(async () => {
    server = await serveDray(shop, ["--data", shop.path("http")]);
  });
  after(() => server.stop());

  for (const name of names)
    test(`${name} pushes and pulls`, { skip: absent(name) }, () =>
      roundTrip(client(name), server, shop.path("http"), `team/${name}:v1`),
    );
});

describe("over TLS under a private authority", () => {
  let server: Running;
  let site: Site;
  before(async () => {
    const { ca, flags } = await withCertificates("tls");
    server = await serveDray(shop, ["--data", shop.path("tls/data"), ...flags]);
    site = { host: server.host, ca };
  });
  after(() => server.stop());

  for (const name of names)
    test(`${name} pushes and pulls`, { skip: absent(name) }, () =>
      roundTrip(client(name), site, shop.path("tls/data"), `team/${name}:v1`),
    );
});

interface Guarded {
  readonly server: Running;
  readonly data: string;
  /** Passwords go to the registry itself. */
  readonly basic?: boolean;
  close?(): Promise<void>;
}

/** What holds for every way of asking who somebody is. */
const guarded = (label: string, skip: string | false, start: () => Promise<Guarded>): void => {
  void describe(label, { skip }, () => {
    let at: Guarded;
    before(async () => {
      at = await start();
    });
    after(async () => {
      await at.server.stop();
      await at.close?.();
    });

    for (const name of names)
      test(`${name}: a right password, a wrong one, none`, { skip: absent(name) }, async (context) => {
        const one = client(name);
        const { server, data } = at;
        await assert.rejects(one.push(server, `team/${name}:v0`), refusal);
        const wrong = await one.login(server, { ...ann, password: "wr0ng" });
        if (/in blocked prefix 127\./.test(wrong.stderr))
          return context.skip("it takes no token service of this machine");
        // crane, regctl and dray only write down what they are told.
        if (wrong.code === 0) await assert.rejects(one.push(server, `team/${name}:v0`), refusal);
        else assert.match(wrong.stderr + wrong.stdout, refusal);
        const right = await one.login(server, ann);
        assert.equal(right.code, 0, right.stderr);
        await roundTrip(one, server, data, `team/${name}:v1`);
        await roundTrip(one, server, data, `public/${name}:v1`);
        await one.logout(server);
        // This docker asks for nothing more once /v2/ has asked for a password: `dray.access.anonymousping` is for it.
        if (name === "docker" && at.basic) await assert.rejects(one.pull(server, `public/${name}:v1`), refusal);
        else await one.pull(server, `public/${name}:v1`);
        await assert.rejects(one.pull(server, `team/${name}:v1`), refusal);
        await assert.rejects(onDisk(data, `team/${name}:v0`), /ENOENT/);
      });
  });
};

const passwords = async (): Promise<string[]> => {
  await writeFile(shop.path("htpasswd"), await succeed(["htpasswd", "-nbBC", "5", ann.user, ann.password]));
  const path = `auth.htpasswd.path=${shop.path("htpasswd")}`;
  return set("auth.htpasswd.realm=test", path, "dray.access.anonymouspull=[public/**]");
};

const noPasswords = findPeer("htpasswd") === undefined ? "missing: htpasswd" : false;

guarded("with htpasswd", noPasswords, async () => {
  const data = shop.path("htpasswd-data");
  return { data, basic: true, server: await serveDray(shop, ["--data", data, ...(await passwords())]) };
});

test("docker pulls what is public with nobody's password, where /v2/ answers everybody", {
  skip: noPasswords || noDaemon(),
}, async () => {
  const data = shop.path("ping-data");
  const flags = [...(await passwords()), ...set("dray.access.anonymousping=true")];
  const server = await serveDray(shop, ["--data", data, ...flags]);
  try {
    const one = client("dray");
    await one.login(server, ann);
    await one.push(server, "public/image:v1", "image");
    await one.push(server, "team/image:v1", "image");
    assert.equal(await client("docker").pull(server, "public/image:v1"), await onDisk(data, "public/image:v1"));
    await assert.rejects(client("docker").pull(server, "team/image:v1"), refusal);
  } finally {
    await server.stop();
  }
});

guarded("with tokens of a service", false, async () => {
  const { ca, server: signer } = testCertificates();
  await writeFile(shop.path("bundle.pem"), `${ca.cert}\n${signer.cert}`);
  const tokens = tokenServer({
    users: { ann: ann.password },
    signer: { issuer: "test", key: signer.key, cert: signer.cert },
    allow: (account, { name, actions }) =>
      account !== undefined ? actions : actions.filter((action) => action === "pull" && name.startsWith("public/")),
  });
  const service: Listener = await listen(tokens.handler);
  const data = shop.path("token-data");
  const flags = set(
    // crane takes no address of a private network for a realm, but any name.
    `auth.token.realm=http://localhost:${service.port}/token`,
    "auth.token.service=registry",
    "auth.token.issuer=test",
    `auth.token.rootcertbundle=${shop.path("bundle.pem")}`,
    "dray.access.anonymouspull=[public/**]",
  );
  const server = await serveDray(shop, ["--data", data, ...flags]);
  return { data, server, close: () => service.close() };
});
