import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, type Manifest, mediaTypes } from "../oci/index.ts";
import { goJson } from "./go-json.ts";
import { legacyLayers } from "./legacy-config.ts";

test("JSON comes out as Go writes it", () => {
  const cases: [unknown, string][] = [
    [{ b: 1, a: "x", c: undefined }, '{"b":1,"a":"x"}'],
    [
      new Map([
        ["b", 1],
        ["a", 2],
        ["10", 3],
        ["9", 4],
      ]),
      '{"10":3,"9":4,"a":2,"b":1}',
    ],
    // By bytes: the emoji is beyond the private use character in UTF-8, before it in UTF-16.
    [
      new Map([
        ["\u{1f600}", 1],
        ["\uf8ff", 2],
      ]),
      '{"\uf8ff":2,"\u{1f600}":1}',
    ],
    ["<a href='x'>&</a>", "\"\\u003ca href='x'\\u003e\\u0026\\u003c/a\\u003e\""],
    ['\u2028\u2029\n"\\', '"\\u2028\\u2029\\n\\"\\\\"'],
    [[null, true, 1.5, []], "[null,true,1.5,[]]"],
    [{}, "{}"],
  ];
  for (const [value, wanted] of cases) assert.equal(goJson(value), wanted);
});

test("layers of the old form: IDs are chained, descriptions have Go's zero values, the top one those of the image", () => {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "arm64",
      os: "linux",
      created: "2024-02-03T04:05:06.120000000+00:00",
      config: { Labels: { b: "1", a: "2" }, Cmd: [], Tty: true, Volumes: { "/x": {} } },
      history: [
        { created: "2024-01-01T00:00:00.500+02:00", created_by: "RUN a && b", comment: "c" },
        { empty_layer: true, created_by: "ENV" },
        { created_by: "COPY", author: "me" },
      ],
    }),
  );
  const layer = (text: string): Manifest["config"] => ({
    mediaType: mediaTypes.ociLayerGzip,
    digest: digestOf(Buffer.from(text)),
    size: 1,
  });
  const manifest: Manifest = {
    schemaVersion: 2,
    config: { ...layer("c"), digest: digestOf(config) },
    layers: [layer("1"), layer("2")],
  };
  const [low, top] = legacyLayers(manifest, config);
  assert.equal(
    low?.id,
    digestOf(Buffer.from("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b ")).slice(7),
  );
  assert.equal(
    Buffer.from(low?.json ?? []).toString(),
    '{"architecture":"","created":"2024-01-01T00:00:00.5+02:00","os":"","rootfs":{"type":"","diff_ids":null},"config":{},' +
      `"container_config":{"Cmd":["RUN a \\u0026\\u0026 b"]},"id":"${low?.id}","comment":"c"}`,
  );
  assert.equal(
    Buffer.from(top?.json ?? []).toString(),
    '{"architecture":"arm64","author":"me","created":"2024-02-03T04:05:06.12Z","os":"linux","rootfs":{"type":"","diff_ids":null},' +
      '"config":{"Labels":{"a":"2","b":"1"},"Tty":true,"Volumes":{"/x":{}}},"container_config":{"Cmd":["COPY"]},' +
      `"id":"${top?.id}","parent":"${low?.id}"}`,
  );
  assert.throws(
    () => legacyLayers({ ...manifest, layers: manifest.layers.slice(1) }, config),
    /history of 2 layers, and the image has 1/,
  );
});
