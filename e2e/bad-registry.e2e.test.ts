/** Registries that answer what makes no sense, or what nobody likes to hear: what each answer gets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  corrupt,
  cutResponse,
  type Effect,
  faults,
  type Listener,
  listen,
  memoryRegistry,
  put,
  redirectTo,
  rewrite,
  sampleImage,
  stall,
} from "@dray/testkit";
import { encodeJson, mediaTypes } from "dray/oci";
import { type Sandbox, workshop } from "./dray.ts";
import { type Case, isRefused, type Places } from "./refusal.ts";

const image = sampleImage({ seed: "bad input" });
const zeros = `sha256:${"0".repeat(64)}`;
/** Red, a bell, a new line, a text that runs backwards. */
const hostile = "\u001b[31mred\u0007\nline\u202eback\u009b2J";
const hostileShown = "\\\\u001b\\[31mred\\\\u0007.*line\\\\u202eback\\\\u009b2J";

/** What a registry does wrong, to which requests. */
interface Wrong extends Case {
  readonly fault?: readonly [target: string, effect: Effect];
}

const layer = `/blobs/${image.layers[0]?.digest}`;
const error = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
const json = { "Content-Type": "application/json" };
const manifestOf = (bytes: string | Uint8Array, type: string = mediaTypes.ociManifest): Effect =>
  answerWith(200, { "Content-Type": type }, typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1"));

/** To a file, to a layout and to another registry. */
const everywhere = ["pull IMAGE OUT", "pull --format oci IMAGE OUT", "cp IMAGE OTHER"];

describe("a registry's answers", { concurrency: 4 }, () => {
  let shop: Sandbox;
  let server: Listener;
  let other: Listener;
  const target = memoryRegistry();

  const cases: readonly Wrong[] = [
    {
      name: "403",
      fault: ["/manifests/", answerWith(403, json, error("DENIED", "members only"))],
      commands: everywhere,
      code: 6,
      says: /REPOSITORY:v1: .*403: DENIED: members only; .*check the name and the account's rights$/,
    },
    {
      name: "401",
      fault: ["/manifests/", answerWith(401, { "WWW-Authenticate": 'Basic realm="x"' })],
      commands: ["digest IMAGE", "pull IMAGE OUT"],
      code: 6,
      says: /REPOSITORY:v1: .*401; log in with: dray auth login 127\.0\.0\.1/,
    },
    {
      name: "no such tag",
      commands: ["digest REPOSITORY:no", "tag REPOSITORY:no x", "delete REPOSITORY:no", "pull REPOSITORY:no OUT"],
      code: 5,
      says: /REPOSITORY:no: .*MANIFEST_UNKNOWN.*; check the name; dray ls REPOSITORY lists its tags$/,
    },
    {
      name: "no such repository",
      commands: ["ls HOST/no/such", "config HOST/no/such:v1", "cp HOST/no/such:v1 OTHER"],
      code: 5,
      says: /HOST\/no\/such.*NAME_UNKNOWN.*; check the name$/,
    },
    { name: "no such blob", commands: [`blob REPOSITORY@${zeros}`], code: 5, says: /no blob REPOSITORY@sha256:0000/ },
    {
      name: "a manifest with another digest",
      fault: ["/manifests/", corrupt(20)],
      commands: everywhere,
      code: 1,
      says: /manifest REPOSITORY.* has digest sha256:.*, not sha256:.*try again or another source$/,
    },
    {
      name: "a blob with another digest",
      fault: [layer, corrupt(20)],
      commands: [...everywhere, "cp --verify IMAGE OTHER"],
      code: 1,
      says: /sha256:.*(not|DIGEST_INVALID|has other bytes)/,
    },
    {
      name: "a blob cut short, again and again",
      fault: [layer, cutResponse(0)],
      commands: everywhere,
      env: { DRAY_RETRY: "1" },
      code: 1,
      before: [/cut the answer off.*trying again/],
      // By then the configuration has arrived, or it has not.
      says: /cut the answer off after .*try again(?:; (?:what arrived (?:whole )?is kept, and )?the same command goes on with (?:it|what the registry has kept of it))?$/,
    },
    {
      name: "a Content-Length that is too large",
      fault: [layer, rewrite({ "Content-Length": "99999" })],
      commands: everywhere,
      code: 1,
      says: /sha256:.* should have 5143 bytes, there are 99999: .*try again or another source$/,
    },
    {
      name: "a Content-Length that is too small",
      fault: [layer, rewrite({ "Content-Length": "50" })],
      commands: everywhere,
      code: 1,
      says: /sha256:.* should have 5143 bytes, there are 50: .*try again or another source$/,
    },
    {
      name: "a manifest over the limit",
      fault: ["/manifests/", manifestOf(" ".repeat(16 * 1024 * 1024 + 1))],
      commands: everywhere,
      code: 1,
      says: /manifest (REPOSITORY|sha256:).* 16777216/,
    },
    {
      name: "a deep JSON bomb",
      fault: ["/manifests/", manifestOf(`{"schemaVersion":2,"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)],
      commands: everywhere,
      code: 1,
      says: /sha256:.*: the manifest nests deeper than 64 levels/,
    },
    {
      name: "a wide JSON bomb",
      fault: ["/manifests/", manifestOf(`{"schemaVersion":2,"a":[${"[],".repeat(5_000_000)}0]}`)],
      commands: everywhere,
      code: 1,
      says: /sha256:.*: the manifest has more than 500000 lists and objects/,
    },
    {
      name: "a page of HTML in place of a manifest",
      fault: ["/manifests/", manifestOf("<html>log in</html>", "text/html")],
      commands: ["digest IMAGE", ...everywhere],
      code: 1,
      says: /manifest REPOSITORY:v1: the manifest is no valid JSON/,
    },
    {
      name: "an unknown media type",
      fault: ["/manifests/", manifestOf(`{"schemaVersion":2}`, "application/vnd.acme.thing+json")],
      commands: everywhere,
      code: 1,
      says: /sha256:.* is of type "application\/vnd\.acme\.thing\+json", which is no manifest or index/,
    },
    {
      name: "a digest that is a path",
      fault: [
        "/manifests/",
        manifestOf(
          encodeJson({ schemaVersion: 2, config: { mediaType: "a/b", size: 1, digest: "sha256:../../../etc/passwd" } }),
        ),
      ],
      commands: everywhere,
      code: 1,
      says: /config: digest "sha256:\.\.\/\.\.\/\.\.\/etc\/passwd" is missing or invalid/,
    },
    {
      name: "schema 1, for an archive",
      fault: ["/manifests/", manifestOf(encodeJson({ schemaVersion: 1, fsLayers: [] }), mediaTypes.dockerSchema1)],
      commands: ["pull IMAGE OUT", "cp IMAGE docker-archive:OUT"],
      code: 1,
      says: /cannot hold sha256:.*manifest\.v1\+json"; write an OCI layout/,
    },
    {
      name: "schema 1, where it has to be understood",
      fault: ["/manifests/", manifestOf(encodeJson({ schemaVersion: 1, fsLayers: [] }), mediaTypes.dockerSchema1)],
      commands: ["config IMAGE"],
      code: 1,
      says: /IMAGE is a Docker schema 1 image, which can only be copied/,
    },
    {
      name: "schema 1 with a signature that is none",
      fault: ["/manifests/", manifestOf(`{"schemaVersion":1,"signatures":[]}`, mediaTypes.dockerSchema1Signed)],
      commands: ["digest IMAGE", "cp IMAGE OTHER"],
      code: 1,
      says: /manifest REPOSITORY:v1: .*schema 1, but its signature makes no sense/,
    },
    {
      name: "a layer that is not there",
      fault: [layer, answerWith(404, json, error("BLOB_UNKNOWN", "gone"))],
      commands: everywhere,
      code: 5,
      says: /blob REPOSITORY@sha256:.*BLOB_UNKNOWN: gone$/,
    },
    {
      name: "silence in the middle",
      fault: [layer, stall(100)],
      commands: ["pull --timeout 300ms IMAGE OUT"],
      code: 1,
      says: /moved no bytes for 0\.3 s/,
    },
    {
      name: "redirects in a circle",
      fault: [layer, (request, next) => redirectTo(`${request.origin}${request.target}`)(request, next)],
      commands: ["pull IMAGE OUT"],
      code: 1,
      says: /is redirected in a circle; the registry or a proxy/,
    },
    {
      name: "a redirect to a file",
      fault: [layer, redirectTo("file:///etc/passwd")],
      commands: ["pull IMAGE OUT"],
      code: 1,
      says: /to a file: URL; only https and http are followed/,
    },
    {
      name: "a limit that takes longer than may be waited",
      fault: ["/manifests/", answerWith(429, { "Retry-After": "3600" })],
      commands: ["digest --max-wait 1s IMAGE", "pull --max-wait 1s IMAGE OUT"],
      code: 7,
      says: /HOST limits us for 3600 s more, and we may wait 1 s in all; .*--max-wait/,
    },
    {
      name: "an error with control characters",
      fault: ["/manifests/", answerWith(418, json, error("TEAPOT", hostile))],
      commands: everywhere,
      code: 1,
      says: new RegExp(`REPOSITORY:v1: .*TEAPOT: ${hostileShown}`),
    },
    {
      name: "a page of HTML with control characters",
      fault: ["/manifests/", answerWith(500, { "Content-Type": "text/html" }, `<title>${hostile}</title>`)],
      commands: ["digest IMAGE"],
      code: 1,
      says: new RegExp(`500: ${hostileShown}; the registry has a fault; try again later`),
    },
    {
      name: "tags that are no names",
      fault: ["/tags/list", answerWith(200, json, `{"tags":7}`)],
      commands: ["ls REPOSITORY", "cp -a REPOSITORY oci:OUT"],
      code: 1,
      says: /lists REPOSITORY with something else than names/,
    },
    {
      name: "tags with control characters, all of them copied",
      fault: ["/tags/list", answerWith(200, json, JSON.stringify({ tags: [hostile] }))],
      commands: ["cp -a REPOSITORY oci:OUT"],
      code: 2,
      says: new RegExp(`"${hostileShown}" is neither a tag nor a digest`),
    },
    {
      name: "a push that is refused",
      fault: ["/blobs/uploads/", answerWith(403, json, error("DENIED", "read only"))],
      commands: ["cp GOOD REPOSITORY:new"],
      code: 6,
      says: /pushing REPOSITORY@.*403: DENIED: read only; .*account's rights$/,
    },
    {
      name: "a manifest that is refused",
      fault: ["/manifests/new", answerWith(400, json, error("MANIFEST_INVALID", hostile))],
      commands: ["cp GOOD REPOSITORY:new"],
      code: 1,
      says: new RegExp(`REPOSITORY:new: .*400: MANIFEST_INVALID: ${hostileShown}`),
    },
    {
      name: "a registry that is full",
      fault: ["/blobs/uploads/", answerWith(507, {}, "no space left")],
      commands: ["cp GOOD REPOSITORY:new"],
      code: 1,
      says: /pushing REPOSITORY@.*507: no space left; the registry has a fault/,
    },
  ];

  before(async () => {
    shop = await workshop();
    const registry = memoryRegistry();
    put(registry, "demo/good", "v1", sampleImage({ seed: "good" }));
    cases.forEach((_, i) => put(registry, `case-${i}/app`, "v1", image));
    const rules = cases.flatMap(({ fault }, i) =>
      fault === undefined ? [] : [{ target: `/v2/case-${i}/app${fault[0]}`, effect: fault[1] }],
    );
    server = await listen(faults(registry.handler, rules));
    other = await listen(target.handler);
  });
  after(async () => {
    await Promise.all([server.close(), other.close()]);
    await shop.close();
  });

  for (const [i, each] of cases.entries())
    test(each.name, async () => {
      const [repository, to] = [`${server.host}/case-${i}/app`, `case-${i}/app`];
      const places: Places = {
        HOST: server.host,
        REPOSITORY: repository,
        IMAGE: `${repository}:v1`,
        GOOD: `${server.host}/demo/good:v1`,
        OTHER: `${other.host}/${to}:v1`,
      };
      const says = new RegExp(
        Object.entries(places).reduce((text, [name, place]) => text.replaceAll(name, place), each.says.source),
      );
      await isRefused(shop, places, { ...each, says });
      assert.deepEqual(target.tags(to), [], "nothing was named");
    });

  test("a Warning header and tags with control characters are shown, and change nothing", async () => {
    const registry = memoryRegistry();
    put(registry, "demo/app", "v1", image);
    const warned = await listen(
      faults(registry.handler, [
        { target: "/tags/list", effect: answerWith(200, json, JSON.stringify({ tags: ["v1", hostile] })) },
        { target: "/manifests/", effect: rewrite({ Warning: '299 - "quota \u009b31mnearly\u009b0m used up"' }) },
      ]),
    );
    const shown = "\\u001b[31mred\\u0007\\nline\\u202eback\\u009b2J";
    assert.equal(await shop.ok(["ls", `${warned.host}/demo/app`]), `v1\n${shown}\n`);
    const listed = await shop.ok(["ls", "-o", "json", `${warned.host}/demo/app`]);
    assert.doesNotMatch(listed, /[\u0000-\u0009\u007f-\u009f\u202e]/);
    assert.deepEqual(
      (JSON.parse(listed) as { tags: { tag: string }[] }).tags.map(({ tag }) => tag),
      ["v1", hostile],
    );
    const { code, stderr } = await shop.dray(["digest", `${warned.host}/demo/app:v1`]);
    assert.deepEqual([code, stderr], [0, `Warning: ${warned.host}: quota \\u009b31mnearly\\u009b0m used up\n`]);
    await warned.close();
  });
});
