import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnNetwork } from "./network-file-system.ts";

const mountinfo = [
  "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
  "22 27 0:21 / /proc rw,relatime - proc proc rw",
  "40 27 0:40 / /data rw,relatime shared:7 - nfs4 nas:/registry rw,vers=4.2",
  "41 40 0:41 / /data/local rw,relatime - xfs /dev/vdb rw",
  "42 27 0:42 / /my\\040files rw,relatime - fuse.sshfs me@there: rw",
  "43 27 0:43 / /stacked rw - ext4 /dev/vdc rw",
  "44 27 0:44 / /stacked rw - cifs //there/here rw",
  "",
].join("\n");

test("the file system that a path lies on decides whether it is one of the network", () => {
  for (const [path, expected] of [
    ["/var/index.db", false],
    ["/data/index.db", true],
    ["/data", true],
    ["/database/index.db", false],
    ["/data/local/index.db", false],
    ["/my files/index.db", true],
    ["/stacked/index.db", true],
  ] as const)
    assert.equal(isOnNetwork(path, mountinfo), expected, path);
  assert.equal(isOnNetwork("/anything", ""), false);
});
