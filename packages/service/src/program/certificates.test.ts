import assert from "node:assert/strict";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { testCertificates } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { Listener } from "../http-server/index.ts";
import { Certificates } from "./certificates.ts";
import { readTls } from "./tls-files.ts";
import { validityFault } from "./validity.ts";

const day = 86_400_000;
/** From a day before to a day after. */
const made = new Date();
const { server } = testCertificates({ now: made });

test("a certificate is told of that has ended, that begins later, and that ends soon", () => {
  const at = (days: number): string | undefined => validityFault(server.cert, made.getTime() + days * day);
  assert.match(at(2) ?? "", /ended on 20.*Z, and clients refuse it; renew it/);
  assert.match(at(-2) ?? "", /begins on 20.*Z, and clients refuse it until then; look at the clock/);
  assert.match(at(0) ?? "", /ends on 20.*Z, within 14 days; renew it/);
  const long = testCertificates({ now: made, days: 15 }).server.cert;
  assert.equal(validityFault(long, made.getTime()), undefined);
  assert.match(validityFault(long, made.getTime() + 2 * day) ?? "", /within 14 days/);
});

test("what is shown is told of once, again each day, and at once where it is another one", async () => {
  const folder = temporaryFolder("certificates");
  const files = {
    certificate: join(folder, "cert"),
    key: join(folder, "key"),
    clientCas: [],
    minVersion: "TLSv1.2",
  } as const;
  const write = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(files.certificate, cert);
    await writeFile(files.key, key);
  };
  await write(server);
  const listener = { reload: async () => {} } as unknown as Listener;
  const certificates = new Certificates(listener, await readTls(files));
  const said: string[] = [];
  const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  let now = made.getTime();
  const look = (): number => {
    certificates.tell(log, now);
    return said.length;
  };
  assert.deepEqual([look(), look()], [1, 1]);
  assert.match(said[0] ?? "", /^warn: the certificate ends on /);
  now += day + 1;
  assert.deepEqual([look(), look()], [2, 2]);
  assert.match(said[1] ?? "", /^warn: the certificate ended on /);
  now += day + 1;
  assert.equal(look(), 3);
  await write(testCertificates({ now: new Date(now), days: 60 }).server);
  await certificates.renew(files);
  assert.equal(look(), 3);
  await write(testCertificates({ now: new Date(now + 3 * day) }).server);
  await certificates.renew(files);
  assert.equal(look(), 4);
  assert.match(said[3] ?? "", /begins on/);
});

test("a pair that is exchanged by a link, as Kubernetes does it, is seen; a half of one changes nothing", async () => {
  const folder = temporaryFolder("certificates-by-link");
  const pair = async (name: string, { cert, key }: { cert: string; key: string }): Promise<void> => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "tls.crt"), cert);
    await writeFile(join(folder, name, "tls.key"), key);
  };
  const point = async (name: string): Promise<void> => {
    await symlink(name, join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  const next = testCertificates({ now: made, days: 60 }).server;
  await pair("..first", server);
  await point("..first");
  for (const name of ["tls.crt", "tls.key"]) await symlink(`..data/${name}`, join(folder, name));
  const files = {
    certificate: join(folder, "tls.crt"),
    key: join(folder, "tls.key"),
    clientCas: [],
    minVersion: "TLSv1.2",
  } as const;
  const shown: unknown[] = [];
  const listener = { reload: async ({ cert }: { cert: unknown }) => void shown.push(cert) } as unknown as Listener;
  const certificates = new Certificates(listener, await readTls(files));
  assert.equal(await certificates.renew(files), false);
  await pair("..half", { cert: next.cert, key: server.key });
  await point("..half");
  await assert.rejects(certificates.renew(files), /it is not the key of the certificate/);
  await pair("..second", next);
  await point("..second");
  assert.equal(await certificates.renew(files), true);
  assert.deepEqual(shown, [next.cert]);
});
