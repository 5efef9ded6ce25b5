import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { isDrayError } from "../../errors.ts";
import { dockerMirrors } from "./docker-mirrors.ts";
import { hostsToml } from "./hosts-toml.ts";
import { registriesConf } from "./registries-conf.ts";

const readFile = async (name: string): Promise<string> => `text of ${name}`;
const read = (content: object, registry = "docker.io") =>
  hostsToml({ file: "hosts.toml", content }, { registry, readFile });

describe("hosts.toml", () => {
  test("its hosts in their order, then the registry itself", async () => {
    const { rule, notes } = await read({
      server: "https://registry-1.docker.io",
      host: {
        "https://m0.test": { capabilities: ["pull", "resolve", "push"], skip_verify: true, dial_timeout: "3s" },
        "http://m1.test:5000/v2/proxy": { override_path: true, capabilities: ["pull"] },
        "https://m2.test/hub": { header: { "X-Team": "a", "X-More": ["b", "c"] } },
        "m3.test/hub/v2": { ca: ["ca.crt", "/etc/other.crt"], client: [["client.cert", "client.key"]] },
        "https://m4.test": { ca: "ca.crt", client: "both.pem" },
        "https://m5.test": { client: ["both.pem", "more.pem"] },
      },
    });
    assert.deepEqual(notes, []);
    assert.deepEqual(rule, {
      prefix: "docker.io",
      from: "hosts.toml",
      mirrors: [
        { location: "https://m0.test", namesOrigin: true, capabilities: ["pull", "resolve"], skipTlsVerify: true },
        { location: "http://m1.test:5000", namesOrigin: true, apiPath: "/v2/proxy", capabilities: ["pull"] },
        {
          location: "https://m2.test",
          namesOrigin: true,
          apiPath: "/hub/v2",
          headers: [
            ["X-Team", "a"],
            ["X-More", "b"],
            ["X-More", "c"],
          ],
        },
        {
          location: "https://m3.test",
          namesOrigin: true,
          apiPath: "/hub/v2",
          ca: ["text of ca.crt", "text of /etc/other.crt"],
          cert: "text of client.cert",
          key: "text of client.key",
        },
        {
          location: "https://m4.test",
          namesOrigin: true,
          ca: ["text of ca.crt"],
          cert: "text of both.pem",
          key: "text of both.pem",
        },
        { location: "https://m5.test", namesOrigin: true, cert: "text of both.pem", key: "text of both.pem" },
      ],
    });
  });

  test("its server stands for the registry, where that is another one or something is said of it", async () => {
    for (const [content, registry, expected] of [
      [{}, "r.test", undefined],
      [{}, "_default", undefined],
      [{ skip_verify: true }, "r.test", { location: "", namesOrigin: true, skipTlsVerify: true }],
      [{ server: "https://r.test" }, "r.test", undefined],
      [{ server: "r.test" }, "r.test", undefined],
      [{ server: "https://other.test" }, "r.test", { location: "https://other.test", namesOrigin: true }],
      [{ server: "http://r.test" }, "r.test", { location: "http://r.test", namesOrigin: true }],
      [
        { server: "https://r.test", skip_verify: true },
        "r.test",
        { location: "https://r.test", namesOrigin: true, skipTlsVerify: true },
      ],
    ] as const)
      assert.deepEqual((await read(content, registry)).rule.primary, expected, JSON.stringify(content));
  });

  test("what is not known is passed over, as containerd does, and told", async () => {
    const { rule, notes } = await read({ mirror: 1, host: { "https://m.test": { overridepath: true } } });
    assert.equal(rule.mirrors?.length, 1);
    assert.deepEqual(
      notes.map((note) => note.replace(/ is not known.*/, "")),
      ['hosts.toml: "host" "https://m.test": "overridepath"', 'hosts.toml: "mirror"'],
    );
  });

  for (const [content, says] of [
    [{ host: { "https://m.test": { capabilities: ["read"] } } }, /"capabilities" has "read"; expected pull/],
    [{ host: { "https://m.test": { skip_verify: "yes" } } }, /"skip_verify" has to be true or false/],
    [{ host: { "https://m.test": { client: [["", ""]] } } }, /"client" has to be a file/],
    [{ host: { "ftp://m.test": {} } }, /"https:\/\/ftp:\/\/m\.test" is no location/],
    [{ host: ["https://m.test"] }, /"host": is no table/],
  ] as const)
    test(`is refused: ${JSON.stringify(content)}`, () =>
      assert.rejects(
        () => read(content),
        (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message),
      ));
});

test("daemon.json has mirrors of Docker Hub alone, and names of insecure registries", () => {
  const content = {
    "registry-mirrors": [
      "https://m0.test",
      "http://m1.test:5000/",
      "https://m2.test/docker_hub/",
      "https://m3.test/hub/v2",
      "https://m4.test/v2",
    ],
    "insecure-registries": ["i.test:5000", "10.0.0.0/8"],
    "log-level": "warn",
  };
  assert.deepEqual(dockerMirrors({ file: "daemon.json", content }), [
    {
      prefix: "docker.io",
      from: "daemon.json",
      mirrors: [
        { location: "https://m0.test" },
        { location: "http://m1.test:5000" },
        { location: "https://m2.test", apiPath: "/docker_hub/v2" },
        { location: "https://m3.test", apiPath: "/hub/v2" },
        { location: "https://m4.test", apiPath: "/v2" },
      ],
    },
    { prefix: "i.test:5000", from: "daemon.json", insecure: true },
  ]);
  for (const [mirror, says] of [
    ["m.test", /expected a URL/],
    ["https://m.test/path?x=1", /is no location/],
  ] as const)
    assert.throws(
      () => dockerMirrors({ file: "daemon.json", content: { "registry-mirrors": [mirror] } }),
      (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message),
    );
});

test("a name and a password in front of a host are refused, and shown to nobody", async () => {
  const place = "bob:s3cret@m.test";
  const all: readonly (() => unknown)[] = [
    () => dockerMirrors({ file: "daemon.json", content: { "registry-mirrors": [`https://${place}`] } }),
    () => dockerMirrors({ file: "daemon.json", content: { "registry-mirrors": [place] } }),
    () => read({ server: `https://${place}` }),
    () => read({ host: { [`https://${place}`]: {} } }),
    () => read({ host: { [place]: { capabilities: ["x"] } } }),
    () => registriesConf([{ file: "a", content: { registry: [{ location: place }] } }]),
    () => registriesConf([{ file: "a", content: { registry: [{ location: `https://${place}` }] } }]),
    () =>
      registriesConf([{ file: "a", content: { registry: [{ location: "o.test", mirror: [{ location: place }] }] } }]),
    () => registriesConf([{ file: "a", content: { "unqualified-search-registries": [place] } }]),
  ];
  for (const each of all)
    await assert.rejects(
      async () => each(),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") && /m\.test/.test(error.message) && !/s3cret/.test(inspect(error)),
      String(each),
    );
});
