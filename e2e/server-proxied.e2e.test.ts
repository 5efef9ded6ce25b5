/** Clients behind nginx and haproxy, which say whom they speak for: whole images through them, also where Locations are absolute. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { after, before, describe, test } from "node:test";
import { sampleImage, testCertificates } from "@dray/testkit";
import { findPeer } from "@dray/testkit/peers";
import { type Client, clientsOf, type Site } from "./clients.ts";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { files } from "./page.ts";
import { layoutOf, putAt, writeSamples } from "./samples.ts";
import { freeAddress, type Running, serveAt, serveDray } from "./serving.ts";

let shop: Sandbox;
let clients: readonly Client[];
before(async () => {
  shop = await workshop();
  await writeSamples(shop);
  clients = await clientsOf({ shop });
});
after(() => shop.close());

interface Proxy {
  readonly name: string;
  /** @returns its words */
  readonly start: (folder: string, address: string, upstream: string) => Promise<readonly string[]>;
}

/** The file of a proxy as `docs/operating.md` has it, with the places of a test. */
const fileOf = (name: string, places: Readonly<Record<string, string>>): string => {
  let text = files.get(name) ?? assert.fail(`no file for ${name} is on the page`);
  for (const [there, here] of Object.entries(places)) {
    assert.ok(text.includes(there), `${name}: ${there}`);
    text = text.replaceAll(there, here);
  }
  return text;
};

/** They speak TLS, and the registry behind them does not. */
const proxies: readonly Proxy[] = [
  {
    name: "nginx",
    start: async (folder, address, upstream) => {
      const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (kind) => `${kind}_temp_path ${folder}/${kind};`,
      );
      const server = fileOf("nginx", {
        "listen 443 ssl": `listen ${address} ssl`,
        "127.0.0.1:5000": upstream,
        "/etc/nginx/tls.crt": `${folder}/server.pem`,
        "/etc/nginx/tls.key": `${folder}/server.key`,
      });
      await writeFile(
        `${folder}/nginx.conf`,
        `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  ${places.join(" ")}
  ${server}
}
`,
      );
      return ["nginx", "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`];
    },
  },
  {
    name: "haproxy",
    start: async (folder, address, upstream) => {
      const both = await Promise.all(["server.pem", "server.key"].map((name) => readFile(`${folder}/${name}`, "utf8")));
      await writeFile(`${folder}/both.pem`, both.join(""), { mode: 0o600 });
      const places = { ":443": address, "127.0.0.1:5000": upstream, "/etc/haproxy/tls.pem": `${folder}/both.pem` };
      await writeFile(`${folder}/haproxy.cfg`, fileOf("haproxy", places));
      return ["haproxy", "-f", `${folder}/haproxy.cfg`];
    },
  },
];

for (const { name, start } of proxies)
  describe(`behind ${name}`, { skip: missing([name, findPeer(name)]) }, () => {
    let [server, proxy]: (Running | undefined)[] = [];
    let site: Site;
    before(async () => {
      const folder = shop.path(name);
      await mkdir(`${folder}/trust`, { recursive: true });
      const { ca, server: pair } = testCertificates();
      const file = `${folder}/trust/ca.crt`;
      await writeFile(file, ca.cert);
      await writeFile(`${folder}/server.pem`, pair.cert);
      await writeFile(`${folder}/server.key`, pair.key, { mode: 0o600 });
      // Absolute Locations are the ones that a proxy breaks when it is not believed.
      const settings = [
        "dray.trustedproxies=[127.0.0.1]",
        "http.relativeurls=false",
        "dray.log.access.format=json",
        `dray.log.access.to=${folder}/access`,
      ].flatMap((set) => ["--set", set]);
      server = await serveDray(shop, ["--data", `${folder}/data`, ...settings]);
      const address = await freeAddress();
      proxy = await serveAt(address, await start(folder, address, server.host));
      site = { host: address, ca: { file, folder: `${folder}/trust` } };
    });
    after(async () => {
      await proxy?.stop();
      await server?.stop();
    });

    for (const program of ["skopeo", "podman", "crane", "regctl", "oras", "dray"])
      test(`${program} pushes and pulls`, {
        skip: program === "dray" ? false : missing([program, findPeer(program)]),
      }, async () => {
        const client = clients.find((one) => one.name === program) as Client;
        const pushed = await client.push(site, `${program}/app:v1`);
        assert.equal(await client.pull(site, `${program}/app:v1`), pushed);
      });

    test("a client does not choose what its request is called in the logs", async () => {
      const ca = await readFile(site.ca?.file ?? "");
      const status = await new Promise((resolve, reject) => {
        const [host, port] = site.host.split(":");
        const headers = { "X-Request-Id": "forged" };
        const asking = get({ host, port, path: "/v2/", headers, ca, agent: false });
        asking.on("response", (answer) => resolve(answer.resume().statusCode)).on("error", reject);
      });
      assert.equal(status, 200);
      const lines = (await readFile(`${shop.path(name)}/access`, "utf8")).trim().split("\n");
      const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
      assert.ok(ids.length > 0 && !ids.includes("forged"), ids.join());
      // The proxy's own: ours are of another form or another value each time.
      assert.equal(new Set(ids).size, ids.length);
    });

    test("a large layer goes through both ways", async () => {
      const large = sampleImage({ seed: "proxied", layers: 1, layerSize: 50_000_000 });
      await putAt(large, `oci:${layoutOf(shop, `large-${name}`)}:v1`);
      const ca = ["--ca-file", site.ca?.file ?? ""];
      await shop.ok(["cp", ...ca, `oci:${layoutOf(shop, `large-${name}`)}:v1`, `${site.host}/large/app:v1`]);
      assert.match(await shop.ok(["validate", ...ca, "--remote", `${site.host}/large/app:v1`]), /^PASS/);
    });
  });
