import assert from "node:assert/strict";
import { test } from "node:test";
import { searchListOf, searchNames } from "./search-names.ts";

test("a name is completed by the search list of resolv.conf, before or after it is tried as it is", () => {
  const cluster = searchListOf(
    "nameserver 10.96.0.10\nsearch flux.svc.cluster.local svc.cluster.local. cluster.local\noptions ndots:5 timeout:1\n",
  );
  assert.deepEqual(searchNames("_memcached._tcp.memcached", cluster), [
    "_memcached._tcp.memcached.flux.svc.cluster.local",
    "_memcached._tcp.memcached.svc.cluster.local",
    "_memcached._tcp.memcached.cluster.local",
    "_memcached._tcp.memcached",
  ]);
  assert.deepEqual(searchNames("_a._tcp.b.c.d.e", cluster)[0], "_a._tcp.b.c.d.e");
  assert.deepEqual(searchNames("_a._tcp.b.", cluster), ["_a._tcp.b"]);
  const home = searchListOf("domain old.example\n# search none.example\nsearch lan\n");
  assert.deepEqual(searchNames("_a._tcp.b", home), ["_a._tcp.b", "_a._tcp.b.lan"]);
  assert.deepEqual(searchNames("_a._tcp.b", searchListOf("")), ["_a._tcp.b"]);
});
