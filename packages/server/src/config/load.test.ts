import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { remarkText, SettingsInvalid } from "@dray/service/config";
import { loadSettings, type Sources } from "./index.ts";

const minimal = "version: 0.1\nstorage: {filesystem: {rootdirectory: /d}}\nhttp: {addr: '127.0.0.1:5000'}\n";

/** What is wrong, a line for each. */
const complaints = (sources: Sources): string[] => {
  try {
    loadSettings(sources);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.complaints.map(remarkText);
    throw error;
  }
  return [];
};
const warnings = (sources: Sources): string[] => loadSettings(sources).warnings.map(remarkText);

describe("what is disabled or empty is no obstacle", () => {
  for (const harmless of [
    "proxy: {remoteurl: ''}",
    "proxy:",
    "notifications: {endpoints: []}",
    "notifications: {events: {includereferences: true}, endpoints: [{name: a, disabled: true, url: http://a}]}",
    "middleware: {storage: [{name: cloudfront, disabled: true}]}",
    "redis: {}",
    "auth:",
    "auth: none",
    "auth: {none: }",
    "x-anything: {a: 1}",
    "policy: {repository: {classes: []}}",
    "validation: {disabled: true}",
  ])
    test(harmless, () => {
      assert.deepEqual(warnings({ text: `${minimal}${harmless}\n` }), []);
    });
});

test("everything at once, from the top of the file down", () => {
  const text = `version: 0.1
storage:
  s3: {bucket: b, secretkey: hush}
log: {level: loud}
http:
  addr: nowhere
  draintimeout: 60
  headers: {"a b": [1], Content-Length: [2]}
atuh: none
`;
  const said = complaints({ text, env: { REGISTRY_TAGS_MAXTAGS: "many" } });
  assert.deepEqual(
    said.map((line) => line.split(": ").slice(0, 2).join(" ")),
    [
      "config.yml:3:3 storage.s3",
      "config.yml:4:7 log.level",
      "config.yml:6:3 http.addr",
      "config.yml:7:3 http.draintimeout",
      "config.yml:8:13 http.headers",
      "config.yml:8:25 http.headers",
      "config.yml:9:1 atuh",
      "REGISTRY_TAGS_MAXTAGS tags.maxtags",
    ],
  );
  assert.doesNotMatch(said.join(), /hush/);
});

test("aliases and merge keys are resolved; what never ends is complained about", () => {
  const { settings } = loadSettings({
    text: `version: 0.1
x-tls: &tls {certificate: /c, key: /k}
storage: inmemory
http: {addr: "localhost:1", tls: {<<: *tls, key: /other}}
`,
  });
  assert.equal(settings.listen.tls?.certificate, "/c");
  assert.equal(settings.listen.tls?.key, "/other");
  assert.match(complaints({ text: "version: 0.1\nstorage: &a {b: *a}\n" })[0] ?? "", /too much or too deep/);
  const bomb = Array.from({ length: 9 }, (_, i) => `x-${i}: &a${i} [${`*a${i - 1},`.repeat(i === 0 ? 0 : 9)}]\n`).join(
    "",
  );
  assert.match(complaints({ text: `version: 0.1\n${bomb}` })[0] ?? "", /too much or too deep|no YAML/);
});

describe("wrong files", () => {
  const cases: [name: string, text: string, expected: string[]][] = [
    ["empty", "", ["config.yml:1:1: this is no configuration; it begins with version: 0.1"]],
    ["a list", "- version: 0.1\n", ["config.yml:1:1: this is no configuration; it begins with version: 0.1"]],
    [
      "no version",
      "storage: inmemory\nhttp: {addr: 'localhost:1'}\n",
      ["config.yml:1:1: version: is missing; write version: 0.1, as distribution does"],
    ],
    ["another version", "version: 0.2\nstorage: inmemory\n", ['config.yml:1:1: version: "0.2" is not one of 0.1']],
    [
      "no storage",
      "version: 0.1\n",
      [
        "config.yml:1:1: storage: no driver is named; add storage.filesystem.rootdirectory with the folder of the data, or say --data DIR",
      ],
    ],
    [
      "two drivers",
      "version: 0.1\nstorage:\n  inmemory:\n  filesystem:\n    rootdirectory: /d\n",
      [
        "config.yml:4:3: storage: there is room for one driver, and here are inmemory (config.yml:3:3), filesystem (config.yml:4:3); keep one",
      ],
    ],
    [
      "a key twice",
      "version: 0.1\nstorage: inmemory\nlog: {level: info}\nlog: {level: debug}\n",
      ["config.yml:4:1: log: stands here twice, first on line 3; keep one"],
    ],
    [
      "a mistyped key",
      `${minimal}atuh: {htpasswd: {realm: a}}\n`,
      ["config.yml:4:1: atuh: no key is called so; did you mean auth?"],
    ],
    [
      "an unknown driver",
      "version: 0.1\nstorage:\n  filesytem: {rootdirectory: /d}\n",
      ["config.yml:3:3: storage.filesytem: no key is called so; did you mean filesystem?"],
    ],
    [
      "an unknown way of access",
      `${minimal}auth: ldap\n`,
      ["config.yml:4:1: auth.ldap: no key is called so; remove it, or choose among none, htpasswd, token, silly"],
    ],
    [
      "our own key mistyped",
      `${minimal}dray: {gc: {grase: 1h}}\n`,
      ["config.yml:4:13: dray.gc.grase: no key is called so; did you mean grace?"],
    ],
    [
      "our own part without the name that it stands under",
      `${minimal}gc: {grace: 1h}\nretention: {untagged: 1h}\ngc2: {}\n`,
      [
        "config.yml:4:1: gc: no key is called so; did you mean dray.gc?",
        "config.yml:5:1: retention: no key is called so; did you mean dray.retention?",
        "config.yml:6:1: gc2: no key is called so; remove it, or let its name begin with x-",
      ],
    ],
    [
      "a duration without unit",
      `${minimal}dray: {gc: {grace: 60}}\n`,
      ['config.yml:4:13: dray.gc.grace: "60" is not a duration; write a number with its unit, as 30s, 1h30m or 168h'],
    ],
    [
      "a scalar for a map",
      "version: 0.1\nstorage:\n  inmemory:\n  delete: true\n",
      ["config.yml:4:3: storage.delete: a single value stands where a map belongs; its keys are enabled"],
    ],
    [
      "half a certificate",
      `version: 0.1\nstorage: inmemory\nhttp:\n  addr: localhost:1\n  tls:\n    certificate: /c.pem\n`,
      ["config.yml:6:5: http.tls.certificate: its key is missing; name it in http.tls.key"],
    ],
    [
      "client certificates of nobody",
      `version: 0.1\nstorage: inmemory\nhttp:\n  addr: localhost:1\n  tls: {certificate: c, key: k, clientauth: require-and-verify-client-cert}\n`,
      [
        "config.yml:5:33: http.tls.clientauth: nothing tells whose certificates clients may show; name their signers in http.tls.clientcas",
      ],
    ],
    [
      "htpasswd without its file",
      `${minimal}auth:\n  htpasswd:\n    realm: r\n`,
      ["config.yml:5:3: auth.htpasswd.path: is missing; name the file of users, which `htpasswd -B` makes"],
    ],
    [
      "htpasswd without anything",
      `${minimal}auth: htpasswd\n`,
      [
        "config.yml:4:1: auth.htpasswd.realm: is missing; name what users log in to, as `realm: registry`",
        "config.yml:4:1: auth.htpasswd.path: is missing; name the file of users, which `htpasswd -B` makes",
      ],
    ],
    [
      "tokens without keys",
      `${minimal}auth: {token: {realm: a, service: b, issuer: c}}\n`,
      [
        "config.yml:4:1: auth.token: nothing tells which keys sign tokens; name a file as rootcertbundle (certificates) or jwks (keys)",
      ],
    ],
    [
      "two ways of access",
      `${minimal}auth:\n  none:\n  htpasswd: {realm: a, path: b}\n`,
      ["config.yml:6:3: auth: there is room for one way of access, and here are none, htpasswd; keep one"],
    ],
    [
      "an address without its port",
      "version: 0.1\nstorage: inmemory\nhttp: {addr: localhost}\n",
      [
        'config.yml:3:8: http.addr: "localhost" is no address; write HOST:PORT, as 127.0.0.1:5000, or :5000 for every interface',
      ],
    ],
    [
      "a host with another scheme",
      `version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:1', host: 'ftp://registry.example'}\n`,
      [
        'config.yml:3:29: http.host: "ftp://registry.example" is no address of a registry; write it with its scheme, as https://registry.example:5000',
      ],
    ],
    [
      "times that leave nothing any time",
      `${minimal.replace("/d}", "/d}, maintenance: {uploadpurging: {age: 0s}}")}dray:\n  gc: {interval: 1ns}\n  uploads: {silence: 0}\n  access: {lockout: {window: 0s}}\n`,
      [
        'config.yml:2:74: storage.maintenance.uploadpurging.age: "0s" leaves no upload the time to go on; write how long one may rest, or uploadpurging.enabled: false',
        'config.yml:5:8: dray.gc.interval: "1ns" is too often; at least 1ms, or 0 for never',
        'config.yml:6:13: dray.uploads.silence: "0" is too small; at least 1ms',
        'config.yml:7:22: dray.access.lockout.window: "0s" is too small; at least 1ms',
      ],
    ],
    [
      "a switch where names belong",
      `${minimal}dray:\n  access: {anonymouspull: true}\n  log: {audit: {to: true}}\n  trustedproxies: [10.0.0.0/8, false]\n`,
      [
        'config.yml:5:12: dray.access.anonymouspull: "true" is no switch; write a list of what is meant, as [ONE, ANOTHER]',
        'config.yml:6:17: dray.log.audit.to: "true" is no switch; write a text, in quotes if it is really called true',
        "config.yml:7:32: dray.trustedproxies: is no switch; write a text, in quotes if it is really called false",
      ],
    ],
    [
      "an element of a list",
      `${minimal}dray:\n  trustedproxies:\n    - 10.0.0.0/8\n    - nobody\n    - none\n`,
      [
        'config.yml:7:7: dray.trustedproxies: cannot be used: trusted proxy "nobody" is no address and no CIDR such as 10.0.0.0/8',
        'config.yml:8:7: dray.trustedproxies: cannot be used: trusted proxy "none" is no address and no CIDR such as 10.0.0.0/8',
      ],
    ],
    [
      "a header that ends itself",
      `${minimal}x-a: 1\n`.replace("http: {", 'http: {headers: {X-A: ["a\\r\\nb"]}, '),
      ["config.yml:3:24: http.headers: has a value of X-A that no header can have"],
    ],
    [
      "one address for two",
      "version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:1', debug: {addr: 'localhost:1'}}\n",
      ["config.yml:3:37: http.debug.addr: is the address of the registry itself; choose another port"],
    ],
    [
      "every interface, one of them for two",
      "version: 0.1\nstorage: inmemory\nhttp: {addr: ':1', debug: {addr: '127.0.0.1:1'}}\n",
      ["config.yml:3:28: http.debug.addr: is the address of the registry itself; choose another port"],
    ],
    [
      "a socket without its path",
      "version: 0.1\nstorage: inmemory\nhttp: {net: unix}\n",
      ["config.yml:3:1: http.addr: is missing; name the path of the socket"],
    ],
    ["broken YAML", "version: 0.1\nstorage: {filesystem: [\n", []],
  ];
  for (const [name, text, expected] of cases)
    test(name, () => {
      const said = complaints({ text });
      if (expected.length > 0) assert.deepEqual(said, expected);
      else assert.match(said[0] ?? "", /^config\.yml:\d+:\d+: this is no YAML: /);
    });
});

describe("what would have no effect warns", () => {
  const said = (http: string, env: Record<string, string> = {}): string[] =>
    warnings({ text: `version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:1'${http}}\n`, env });

  test("a host without its scheme, as distribution passes it over", () => {
    assert.deepEqual(said(", host: 'registry.example:5000'"), [
      "config.yml:3:29: http.host: has no effect without its scheme, in distribution as here; write https://registry.example:5000",
    ]);
    const { settings } = loadSettings({ env: { REGISTRY_HTTP_HOST: "registry.example" } });
    assert.deepEqual(settings.registry.locations, { relative: true });
  });

  test("absolute locations where nobody knows how clients come", () => {
    const expected =
      "config.yml:3:29: http.relativeurls: has no effect: nothing tells how clients reach the registry, so Location stays relative; name that in http.host, or the proxy in front in dray.trustedproxies";
    assert.deepEqual(said(", relativeurls: false"), [expected]);
    assert.deepEqual(said(", relativeurls: false, host: 'https://registry.example'"), []);
    assert.deepEqual(said(", relativeurls: false", { DRAY_SERVE_TRUSTEDPROXIES: "[10.0.0.0/8]" }), []);
  });

  test("retention of no time, which somebody may take for none", () => {
    assert.match(warnings({ text: `${minimal}dray: {retention: {untagged: 0s}}\n` }).join(), /leave the key out$/);
  });

  test("pulls for everybody, which one client does not get to, unless that is known", () => {
    const said = (access: string) =>
      warnings({
        text: `${minimal}auth: {htpasswd: {realm: r, path: /users}}\ndray: {access: {anonymouspull: ['public/**']${access}}}\n`,
      });
    assert.match(
      said("").join(),
      /dray\.access\.anonymouspull: .*no basic auth credentials.*anonymousping: true lets it, and then no docker/,
    );
    for (const known of ["true", "false"]) assert.deepEqual(said(`, anonymousping: ${known}`), []);
  });

  test("a key that nobody said has no variable to blame", () => {
    const text = "version: 0.1\nstorage: inmemory\n";
    assert.deepEqual(warnings({ text, env: { REGISTRY_HTTP_HOST: "https://registry.example" } }), [
      "config.yml:1:1: http.addr: is absent; distribution would listen on every interface at a port of chance, Dray listens on 127.0.0.1:5000",
    ]);
    assert.deepEqual(complaints({ env: { REGISTRY_HTTP_NET: "unix", REGISTRY_LOG_LEVEL: "info" } }), [
      "http.addr: is missing; name the path of the socket",
    ]);
  });
});

describe("nothing is passed over in silence", () => {
  const wrong: readonly [name: string, more: string, said: RegExp][] = [
    ["a second document", "---\nhttp: {addr: ':1'}\n", /4:1: a second document begins here; keep one/],
    ["a home folder for the index", "dray: {index: ~/i.db}\n", /dray\.index: .*write the whole path/],
    [
      "sizes of a slip",
      "dray: {limits: {headersize: 1TiB}, manifestsize: 1TiB}\n",
      /headersize: .*at most 16MiB.*manifestsize: .*at most 256MiB/s,
    ],
    ["a target of a slip", "dray: {limits: {target: 99999999}}\n", /target: .*at most 1048576/],
    [
      "a switch for a list",
      "dray: {trustedproxies: true}\n",
      /trustedproxies: "true" is no switch; write a list of what is meant/,
    ],
    [
      "a map for a list",
      'dray: {quotas: {"team/**": 8MB}}\n',
      /quotas: a map stands where a list belongs; write \[ONE, ANOTHER\], each a line of text/,
    ],
    [
      "a list for a duration",
      "dray: {gc: {grace: [1h]}}\n",
      /grace: a list stands where a duration belongs; write a number with its unit/,
    ],
  ];
  for (const [name, more, said] of wrong)
    test(name, () => assert.match(complaints({ text: `${minimal}${more}` }).join("\n"), said));

  test("what stands where something else belongs", () => {
    const of = (...set: string[]): string => complaints({ text: minimal, flags: { set } }).join("\n");
    for (const path of ["/livez", "/readyz", "/debug/health", "/debug/health/down", "/debug/health/up"])
      assert.match(of(`http.debug.prometheus.path=${path}`), /is something else already; choose another path/);
    assert.match(of("http.net=unix", "http.addr=:5000"), /http\.addr: is no path of a socket/);
    assert.match(of("http.addr=:70000"), /":70000" has a port that is too large; ports go from 0 to 65535/);
    assert.match(of("http.debug.addr=:70000"), /":70000" has a port that is too large/);
    assert.match(of("dray.gc.grace"), /dray\.gc\.grace: it is given no value; write --set dray\.gc\.grace=VALUE/);
    assert.match(of("storage.filesystem.rootdirectory=~/reg"), /rootdirectory: .*~.*write the whole path/);
  });

  test("what is taken for something else than it says", () => {
    assert.match(
      warnings({ text: minimal.replace("/d", "~") }).join("\n"),
      /2:\d+: storage\.filesystem\.rootdirectory: ~ is YAML's word for nothing/,
    );
    const pages = warnings({ text: `${minimal}catalog: {maxentries: 0}\ntags: {maxtags: 0}\n` });
    assert.deepEqual(
      pages.map((each) => /(\S+): is taken as 1000/.exec(each)?.[1]),
      ["catalog.maxentries", "tags.maxtags"],
    );
  });

  test("variables of our own without the beginning that counts", () => {
    const env = { DRAY_GC_GRACE: "1h", DRAY_REGISTRY_HOSTNAME: "h", DRAY_CA_FILE: "/f", DRAY_GC: "1" };
    assert.deepEqual(warnings({ text: minimal, env }), [
      "DRAY_GC_GRACE: no key is called so, and it changes nothing; did you mean DRAY_SERVE_GC_GRACE?",
    ]);
    assert.equal(
      loadSettings({ text: minimal, env: { DRAY_SERVE_GC_GRACE: "1h" } }).settings.registry.gc?.grace,
      3_600_000,
    );
  });
});
