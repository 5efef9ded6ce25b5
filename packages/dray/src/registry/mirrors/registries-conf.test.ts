import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDrayError } from "../../errors.ts";
import { registriesConf } from "./registries-conf.ts";
import { placeIn, ruleFor } from "./rules.ts";

const read = (...contents: readonly object[]) =>
  registriesConf(contents.map((content, at) => ({ file: `${at}.conf`, content })));

describe("registries.conf", () => {
  test("the rule with the longest prefix counts, and a name ends where a prefix does", () => {
    const { rules, notes } = read({
      registry: [
        { location: "example.com" },
        { prefix: "example.com/foo", location: "internal.example.net/bar" },
        { prefix: "*.example.com", mirror: [{ location: "m.test/x" }] },
        { prefix: "*.b.example.com" },
        { prefix: "docker.io/library/alpine", location: "m.test/alpine" },
      ],
    });
    assert.deepEqual(notes, []);
    for (const [name, prefix] of [
      ["example.com/app", "example.com"],
      ["example.com/foo/app", "example.com/foo"],
      ["example.com/foo", "example.com/foo"],
      ["example.com/food", "example.com"],
      ["a.example.com/app", "*.example.com"],
      ["a.b.example.com/app", "*.b.example.com"],
      ["a.example.com:5000/app", "*.example.com"],
      ["docker.io/library/alpine", "docker.io/library/alpine"],
      ["docker.io/library/alpine3", undefined],
      ["example.community/app", undefined],
      ["notexample.com/app", undefined],
      ["other.test/a.example.com/app", undefined],
    ] as const)
      assert.equal(ruleFor(rules, name)?.prefix, prefix, name);
  });

  test("a location takes the place of the prefix", () => {
    for (const [prefix, location, name, expected] of [
      ["example.com/foo", "m.test/bar", "example.com/foo/image", "m.test bar/image"],
      ["example.com", "m.test/a/b", "example.com/image", "m.test a/b/image"],
      ["example.com/foo/image", "m.test:5000/x", "example.com/foo/image", "m.test:5000 x"],
      ["*.example.com", "m.test/x", "a.b.example.com/image", "m.test x/image"],
      ["*.example.com", "", "a.example.com/image", "a.example.com image"],
      ["docker.io", "m.test", "docker.io/library/alpine", "m.test library/alpine"],
    ] as const) {
      const insecure = location === "";
      const place = placeIn({ location, insecure }, { prefix }, name);
      assert.equal(`${place?.host} ${place?.repository}`, expected, `${prefix} -> ${location}: ${name}`);
    }
    // A mirror that is the registry itself would be asked twice.
    assert.equal(placeIn({ location: "example.com" }, { prefix: "example.com" }, "example.com/a"), undefined);
  });

  test("mirrors keep their order, and what is said of them", () => {
    const { rules } = read({
      registry: [
        {
          prefix: "example.com/foo",
          location: "real.test/foo",
          insecure: true,
          mirror: [
            { location: "m0.test/foo/" },
            { location: "m1.test", insecure: true, "pull-from-mirror": "tag-only" },
            { location: "m2.test", "pull-from-mirror": "" },
          ],
        },
        { location: "only.test", "mirror-by-digest-only": true, blocked: true, mirror: [{ location: "m3.test" }] },
      ],
    });
    assert.deepEqual(rules, [
      {
        prefix: "example.com/foo",
        from: "0.conf",
        insecure: true,
        mirrors: [
          { location: "m0.test/foo" },
          { location: "m1.test", insecure: true, pulls: "tag-only" },
          { location: "m2.test" },
        ],
        primary: { location: "real.test/foo", insecure: true },
      },
      { prefix: "only.test", from: "0.conf", blocked: true, mirrors: [{ location: "m3.test", pulls: "digest-only" }] },
    ]);
  });

  test("drop-ins replace what is of the same prefix, and add aliases", () => {
    const conf = read(
      {
        "unqualified-search-registries": ["a.test"],
        "short-name-mode": "enforcing",
        aliases: { app: "a.test/app", tool: "a.test/tool" },
        registry: [{ location: "r.test", mirror: [{ location: "m0.test" }] }, { location: "s.test" }],
      },
      { aliases: { tool: "", more: "b.test/more" } },
      {
        "unqualified-search-registries": ["b.test", "c.test"],
        registry: [{ location: "r.test", mirror: [{ location: "m1.test" }] }],
      },
    );
    assert.deepEqual(
      conf.rules.map(({ prefix, mirrors = [] }) => [prefix, ...mirrors.map(({ location }) => location)]),
      [["r.test", "m1.test"], ["s.test"]],
    );
    assert.deepEqual(conf.unqualifiedSearch, ["b.test", "c.test"]);
    assert.equal(conf.shortNameMode, "enforcing");
    assert.deepEqual(
      [...conf.aliases],
      [
        ["app", "a.test/app"],
        ["more", "b.test/more"],
      ],
    );
  });

  test("the form before has no mirrors; its other lists hold", () => {
    const { rules, unqualifiedSearch } = read({
      registries: {
        search: { registries: ["a.test", "b.test"] },
        insecure: { registries: ["i.test"] },
        block: { registries: ["x.test", "i.test"] },
      },
    });
    assert.deepEqual(unqualifiedSearch, ["a.test", "b.test"]);
    assert.deepEqual(rules, [
      { prefix: "i.test", from: "0.conf", insecure: true, blocked: true },
      { prefix: "x.test", from: "0.conf", blocked: true },
    ]);
  });

  test("what is not known is told and passed over", () => {
    const { notes } = read({
      search: [],
      registry: [{ location: "r.test", mirrors: [], mirror: [{ location: "m.test", tls: 1 }] }],
    });
    assert.deepEqual(
      notes.map((note) => note.replace(/ is not known.*/, "")),
      ['0.conf: registry 1: mirror 1: "tls"', '0.conf: registry 1: "mirrors"', '0.conf: "search"'],
    );
  });

  test("a star elsewhere than in front of a host is told, and matches nothing, as with podman", () => {
    for (const prefix of ["*", "a.*.test", "docker*"]) {
      const { rules, notes } = read({ registry: [{ prefix, location: "b.test" }, { location: "docker.io" }] });
      assert.deepEqual([ruleFor(rules, "docker.io/library/app")?.prefix, notes.length], ["docker.io", 1]);
      assert.match(
        notes[0] ?? "",
        /^0\.conf: registry 1: no name begins with the prefix ".*"; a star stands for hosts/,
      );
    }
  });

  for (const [content, says] of [
    [{ registry: [{}] }, /0\.conf: registry 1: has neither prefix nor location/],
    [{ registry: [{ prefix: "a.test" }] }, /the prefix "a\.test" has no location/],
    [{ registry: [{ prefix: "*.test/foo", location: "b.test" }] }, /is not \*\. in front of a host alone/],
    [{ registry: [{ location: "https://a.test" }] }, /"location" is "https:\/\/a\.test"; leave the scheme out/],
    [{ registry: [{ location: "a b" }] }, /"a b" is no location; write HOST/],
    [{ registry: [{ location: "a.test", mirror: [{}] }] }, /registry 1: mirror 1: has no location/],
    [
      { registry: [{ location: "a.test", mirror: [{ location: "b.test", "pull-from-mirror": "x" }] }] },
      /expected all, digest-only or tag-only/,
    ],
    [
      {
        registry: [
          {
            location: "a.test",
            "mirror-by-digest-only": true,
            mirror: [{ location: "b.test", "pull-from-mirror": "all" }],
          },
        ],
      },
      /cannot be together with "mirror-by-digest-only"/,
    ],
    [{ registry: [{ location: "a.test", insecure: "yes" }] }, /"insecure" has to be true or false/],
    [{ registry: { location: "a.test" } }, /"registry" has to be a list of tables, \[\[registry\]\]/],
    [{ registry: [{ location: "a.test", insecure: true }, { location: "a.test" }] }, /"a\.test" is there twice/],
    [{ "short-name-mode": "ask" }, /"short-name-mode" is "ask"; expected enforcing/],
    [{ "unqualified-search-registries": ["a b"] }, /unqualified-search-registries: "a b" is no location/],
    [{ "unqualified-search-registries": ["a.test/b"] }, /has "a\.test\/b"; expected host\[:port\]/],
    [{ aliases: { app: 1 } }, /aliases: "app" has to be text/],
  ] as const)
    test(`is refused: ${JSON.stringify(content)}`, () =>
      assert.throws(
        () => read(content),
        (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message),
      ));
});
