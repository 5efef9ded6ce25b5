/**
 * A day of an operator: every block of commands that `docs/operating.md` marks, run as it stands, as root, against the folders and the port
 * that it names. `/etc`, `/var`, `/usr/local` and the network are the test's own. There is no systemd in there: what its unit starts is started
 * by the few lines of `systemctl` below, as root.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { testCertificates } from "@dray/testkit";
import { findPeer, finish } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { blocks } from "./page.ts";
import { layoutOf, samples, writeSamples } from "./samples.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const systemctl = `#!/bin/sh
set -eu
what=$1; [ "$what" = daemon-reload ] && exit 0
for unit; do :; done
pid=$HOME/$unit.pid
file=/etc/systemd/system/$unit.service; [ -f "$file" ] || file=/lib/systemd/system/$unit.service
case $what in
  start|enable)
    setsid $(sed -n 's/^ExecStart=//p' "$file") >>"$HOME/$unit.log" 2>&1 &
    echo $! >"$pid"
    for i in $(seq 300); do for at in https http; do curl -skm 5 -o /dev/null $at://localhost:5000/ && exit 0; done; sleep 0.1; done
    cat "$HOME/$unit.log"; exit 1;;
  stop)
    [ -f "$pid" ] || exit 0
    kill "$(cat "$pid")"; tail --pid="$(cat "$pid")" -f /dev/null; rm "$pid";;
  reload)
    said() { grep -c reloaded "$HOME/$unit.log" || :; }
    before=$(said); kill -HUP "$(cat "$pid")"
    while [ "$(said)" -le "$before" ]; do sleep 0.1; done;;
esac
`;

/** What `dist/dray` starts, where every user may read it. */
const programOfAll = "/usr/local/lib/runtime /usr/local/lib/checkout/packages/cli/src/main.ts";

/** The one that moves a tree. */
const move = (name: string): string => /^mv .*$/m.exec(blocks.get(name) ?? "")?.[0] ?? assert.fail(name);

/**
 * Connections of one client that comes again and again that an exchange of certificates may refuse: none under Node, whose server goes on; one
 * under Bun, whose servers take turns, if it comes in that very moment.
 */
const refusedByAnExchange = "bun" in process.versions ? 1 : 0;

/** What happens beside the commands of the page: what was there before, and what shows that they did what the page says. */
const beside: Readonly<Record<string, { readonly before?: string; readonly after?: string }>> = {
  install: {
    before: `
      printf 'version: 0.1\\nstorage: {filesystem: {rootdirectory: /var/lib/docker-registry}, delete: {enabled: true}}\\nhttp: {addr: ":5000"}\\n' >/etc/docker/registry/config.yml
      systemctl start docker-registry
      push old/app:v1
      systemctl stop docker-registry`,
    after: `
      export DRAY_REGISTRY_HOSTNAME=localhost:5000 DRAY_REGISTRY_USERNAME=ann DRAY_REGISTRY_PASSWORD=secret DRAY_CA_FILE=$HOME/ca.pem
      [ "$(dray catalog localhost:5000)" = "" ]`,
  },
  takeover: {
    before: `
      push early/app:v1
      if ${move("takeover")}; then echo 'a tree went into another one'; exit 1; fi
      rm -r /var/lib/registry/docker`,
    after: "there old/app:v1; push new/app:v1",
  },
  renew: {
    before: `
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=renewed -addext subjectAltName=DNS:localhost \\
        -keyout /etc/letsencrypt/live/registry.example/privkey.pem -out /etc/letsencrypt/live/registry.example/fullchain.pem 2>&1
      cat "$HOME/ca.pem" /etc/letsencrypt/live/registry.example/fullchain.pem >"$HOME/both.pem"
      export DRAY_CA_FILE=$HOME/both.pem
      mkdir "$HOME/load"
      (i=0; while [ ! -e "$HOME/load/stop" ]; do
        i=$((i + 1))
        push load/app:v$i && dray pull --format oci "localhost:5000/load/app:v$i" "$HOME/load/pulled$i" || echo "v$i" >>"$HOME/load/failed"
        echo >>"$HOME/load/rounds"
      done) & load=$!
      (while [ ! -e "$HOME/load/stop" ]; do
        curl -skf -u ann:secret -o /dev/null https://localhost:5000/v2/ || echo $? >>"$HOME/load/refused"
        echo >>"$HOME/load/asked"
      done) & asking=$!
      more() { from=$(cat "$HOME/load/$1" 2>/dev/null | wc -l); until [ $(cat "$HOME/load/$1" | wc -l) -ge $((from + $2)) ]; do sleep 0.1; done; }
      more rounds 1`,
    after: `
      more rounds 2; more asked 2; touch "$HOME/load/stop"; wait $load $asking
      [ ! -e "$HOME/load/failed" ] || { echo "pushes or pulls failed while the certificate was exchanged"; exit 1; }
      echo "of $(cat "$HOME/load/asked" | wc -l) questions that nobody asks again $(cat "$HOME/load/refused" 2>/dev/null | wc -l) were refused"
      [ $(cat "$HOME/load/refused" 2>/dev/null | wc -l) -le ${refusedByAnExchange} ]
      openssl s_client -connect localhost:5000 </dev/null 2>&1 | grep 'subject=CN = renewed'
      export DRAY_CA_FILE=/etc/letsencrypt/live/registry.example/fullchain.pem
      there new/app:v1`,
  },
  rotate: { after: "push new/app:v2; grep v1 /var/log/dray/audit.log.1; grep v2 /var/log/dray/audit.log" },
  backup: {
    before: `(for i in 1 2 3 4 5 6; do push "busy/app$i:v1"; done) & busy=$!`,
    after: `wait $busy; dray serve gc --lease 0 /etc/dray/config.yml | grep '^removed'`,
  },
  restore: {
    after: `
      for each in old/app:v1 new/app:v1 new/app:v2; do there $each; done
      for each in $(dray catalog localhost:5000 | grep busy); do for tag in $(dray ls localhost:5000/$each); do there $each:$tag; done; done`,
  },
  full: {},
  back: { after: "unset DRAY_CA_FILE DRAY_REGISTRY_HOSTNAME; for each in old/app:v1 new/app:v2; do there $each; done" },
};

const programs = "unshare ip mount useradd docker-registry htpasswd openssl rsync curl".split(" ");
const skip =
  process.getuid?.() === 0
    ? missing(...programs.map((name) => [name, findPeer(name)] as const))
    : "needs root, for folders and a network of its own";

let shop: Sandbox;
before(async () => {
  shop = await workshop();
  await writeSamples(shop);
});
after(() => shop.close());

/**
 * A file system of the test's own above those that the commands change, and what they find there. The program and what runs it lie in there
 * too: who runs the tests may have them where no other user gets to.
 */
const prelude = (): string => `
  ip link set lo up
  mkdir -p "$HOME/over"; mount -t tmpfs over "$HOME/over"
  for name in etc var usr/local; do
    mkdir -p "$HOME/over/$name/upper" "$HOME/over/$name/work"
    mount -t overlay over -o "lowerdir=/$name,upperdir=$HOME/over/$name/upper,workdir=$HOME/over/$name/work" "/$name"
  done
  install -m 755 ${process.execPath} /usr/local/lib/runtime
  mkdir /usr/local/lib/checkout; mount --bind ${root} /usr/local/lib/checkout
  rm -rf /var/lib/registry /var/lib/docker-registry /etc/dray
  mkdir -p /var/lib/docker-registry /var/lib/registry /etc/docker/registry /etc/letsencrypt/live/registry.example
  cp "$HOME/cert.pem" /etc/letsencrypt/live/registry.example/fullchain.pem
  cp "$HOME/key.pem" /etc/letsencrypt/live/registry.example/privkey.pem
  push() { dray cp "oci:${layoutOf(shop, "image")}:v1" "localhost:5000/$1"; }
  there() { [ "$(dray digest "localhost:5000/$1")" = ${samples.image.root.digest} ] || { echo "$1 is not there"; exit 1; }; }
`;

describe("a day of an operator, by the page", { skip }, () => {
  test("each block of the page has its part in it", () => {
    assert.deepEqual([...blocks.keys()].toSorted(), Object.keys(beside).toSorted());
  });

  test("install, take over, renew, rotate, back up, lose, restore, make room, go back", async (t) => {
    const checkout = shop.path("checkout");
    mkdirSync(join(checkout, "dist"), { recursive: true });
    cpSync(join(root, "deploy"), join(checkout, "deploy"), { recursive: true });
    const programs = shop.path("programs");
    mkdirSync(programs);
    const write = (file: string, text: string): void => {
      writeFileSync(file, text);
      chmodSync(file, 0o755);
    };
    write(join(checkout, "dist/dray"), `#!/bin/sh\nexec ${programOfAll} "$@"\n`);
    write(join(programs, "dray"), `#!/bin/sh\nexec "${checkout}/dist/dray" "$@"\n`);
    write(join(programs, "systemctl"), systemctl);
    const { server, ca } = testCertificates();
    writeFileSync(shop.path("cert.pem"), server.cert);
    writeFileSync(shop.path("key.pem"), server.key);
    writeFileSync(shop.path("ca.pem"), ca.cert);
    const parts = Object.entries(beside).flatMap(([name, { before: first = "", after: last = "" }]) => [
      `echo "=== ${name}"`,
      first,
      `cd "${checkout}"`,
      blocks.get(name) ?? "",
      last,
    ]);
    const script = ["set -eu", prelude(), ...parts, "systemctl stop docker-registry", "echo '=== the end'"].join("\n");
    writeFileSync(shop.path("day.sh"), script);
    const env = {
      ...shop.env,
      PATH: `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      DRAY_PROGRESS: "none",
    };
    const words = [
      "unshare",
      "--mount",
      "--net",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      "--propagation",
      "private",
    ];
    const { code, stdout, stderr } = await finish([...words, "/bin/sh", "-x", shop.path("day.sh")], { env });
    t.diagnostic(stdout);
    assert.equal(code, 0, `${stdout.slice(-1500)}\n${stderr.slice(-3000)}`);
    assert.match(stdout, /=== the end\n$/);
    assert.doesNotMatch(spawnSync("id", ["dray"], { encoding: "utf8" }).stdout, /dray/, "nothing of it is left");
  });
});
