/** The clients that people have, as one table: how each logs in, pushes what it holds, and pulls. Each keeps its state in the test's folder. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { type Finished, findPeer, finish, succeed } from "@dray/testkit/peers";
import { annotationKeys, type Descriptor } from "dray/oci";
import type { Sandbox } from "./dray.ts";
import { indexes, layoutOf, type SampleName } from "./samples.ts";

/** A registry that is to be pushed to. */
export interface Site {
  readonly host: string;
  /** PEM file of the authority of its certificate, alone in its folder as `ca.crt`. Without: it speaks http. */
  readonly ca?: { readonly file: string; readonly folder: string };
}

export interface Account {
  readonly user: string;
  readonly password: string;
}

export interface Client {
  readonly name: string;
  login(site: Site, account: Account): Promise<Finished>;
  logout(site: Site): Promise<Finished>;
  /** Moves content as it is, whatever its form; the others make images of their own from `image`. */
  readonly exact: boolean;
  /** Pushes an image as `NAME:TAG`, and tells the digest that it thinks it pushed. @throws with what it said */
  push(site: Site, name: string, from?: SampleName): Promise<string>;
  /** Pulls it into a place that does not have it, and tells the digest of what it has then. @throws with what it said */
  pull(site: Site, name: string): Promise<string>;
}

/** A client's own variables and folders. */
export interface Bench {
  readonly shop: Sandbox;
  /** Of the docker daemon. */
  readonly socket?: string | undefined;
}

const flags = (site: Site, http: string, tls: (ca: { file: string; folder: string }) => string): string =>
  site.ca === undefined ? http : tls(site.ca);

/** Programs with their words split at spaces: no name here has one. */
export const runner =
  (shop: Sandbox, program: string, env: Readonly<Record<string, string | undefined>> = {}) =>
  (words: string, input = ""): Promise<Finished> =>
    finish([program, ...words.split(/\s+/)], { env: { ...shop.env, ...env }, input });

const strict =
  (run: (words: string, input?: string) => Promise<Finished>) =>
  async (words: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run(words, input);
    if (code !== 0) throw new Error(`${words}: exit ${code}: ${stderr.slice(-2000)}`);
    return stdout.trim();
  };

/** The digest of the one thing in a layout; oras lists what is below it, too, without a name. */
const inLayout = async (folder: string): Promise<string> => {
  const { manifests } = JSON.parse(await readFile(`${folder}/index.json`, "utf8")) as { manifests: Descriptor[] };
  await rm(folder, { recursive: true });
  const named = manifests.filter(({ annotations = {} }) => annotationKeys.refName in annotations);
  return (named.length > 0 ? named : manifests).map(({ digest }) => digest).join(" ");
};

const digestIn = (text: string): string => /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? `no digest in: ${text}`;

const skopeo = ({ shop }: Bench): Client => {
  const run = runner(shop, "skopeo", { REGISTRY_AUTH_FILE: shop.path("skopeo.json") });
  const ok = strict(run);
  const at = (site: Site, side = ""): string =>
    flags(site, `--${side}tls-verify=false`, ({ folder }) => `--${side}cert-dir ${folder}`);
  const [out, digest] = [shop.path("skopeo-out"), shop.path("skopeo-digest")];
  return {
    name: "skopeo",
    exact: true,
    login: (site, { user, password }) => run(`login ${at(site)} -u ${user} --password-stdin ${site.host}`, password),
    logout: (site) => run(`logout ${site.host}`),
    push: async (site, name, from = "index") => {
      const layout = `oci:${layoutOf(shop, from)}:v1`;
      await ok(`copy --all --digestfile ${digest} ${at(site, "dest-")} ${layout} docker://${site.host}/${name}`);
      return (await readFile(digest, "utf8")).trim();
    },
    pull: async (site, name) => {
      await ok(`copy --all ${at(site, "src-")} docker://${site.host}/${name} oci:${out}:v1`);
      return inLayout(out);
    },
  };
};

/** podman and buildah share a storage here, and none with the machine's. */
export const containersPlaces = (shop: Sandbox): string =>
  `--root ${shop.path("containers/root")} --runroot ${shop.path("containers/run")} --storage-driver vfs`;

const containers = (program: "podman" | "buildah", { shop }: Bench): Client => {
  const run = runner(shop, program, { REGISTRY_AUTH_FILE: shop.path(`${program}.json`) });
  const places = containersPlaces(shop);
  const ok = strict(run);
  const at = (site: Site): string => flags(site, "--tls-verify=false", ({ folder }) => `--cert-dir ${folder}`);
  const digest = shop.path(`${program}-digest`);
  const named = `localhost/${program}:v1`;
  return {
    name: program,
    exact: false,
    login: (site, { user, password }) => run(`login ${at(site)} -u ${user} --password-stdin ${site.host}`, password),
    logout: (site) => run(`logout ${site.host}`),
    push: async (site, name) => {
      const id = digestlessId(await ok(`${places} pull -q docker-archive:${shop.path("image.tar")}`));
      await ok(`${places} tag ${id} ${named}`);
      await ok(`${places} push --digestfile ${digest} ${at(site)} ${named} docker://${site.host}/${name}`);
      return (await readFile(digest, "utf8")).trim();
    },
    pull: async (site, name) => {
      await ok(`${places} rmi --all --force`);
      const id = digestlessId(await ok(`${places} pull -q ${at(site)} docker://${site.host}/${name}`));
      const format =
        program === "podman"
          ? "image inspect --format {{.Digest}}"
          : "inspect --type image --format {{.FromImageDigest}}";
      return ok(`${places} ${format} ${id}`);
    },
  };
};

const digestlessId = (printed: string): string => printed.split("\n").at(-1) ?? "";

const docker = ({ shop, socket = "" }: Bench): Client => {
  const run = runner(shop, "docker", { DOCKER_HOST: socket, DOCKER_CONFIG: shop.path("docker-client") });
  const ok = strict(run);
  return {
    name: "docker",
    exact: false,
    login: (site, { user, password }) => run(`login -u ${user} --password-stdin ${site.host}`, password),
    logout: (site) => run(`logout ${site.host}`),
    push: async (site, name) => {
      await ok(`load -q -i ${shop.path("image.tar")}`);
      await ok(`tag demo/image:v1 ${site.host}/${name}`);
      return digestIn((await ok(`push ${site.host}/${name}`)).split("\n").at(-1) ?? "");
    },
    pull: async (site, name) => {
      const held = await ok("images -q --no-trunc");
      if (held !== "") await ok(`rmi -f ${[...new Set(held.split("\n"))].join(" ")}`);
      await ok(`pull -q ${site.host}/${name}`);
      return digestIn(await ok(`image inspect --format {{.RepoDigests}} ${site.host}/${name}`));
    },
  };
};

const crane = ({ shop }: Bench): Client => {
  const runAt = (site: Site): ReturnType<typeof runner> =>
    runner(shop, findPeer("crane") ?? "", {
      DOCKER_CONFIG: shop.path("crane"),
      ...(site.ca === undefined ? {} : { SSL_CERT_FILE: site.ca.file }),
    });
  const insecure = (site: Site): string => flags(site, " --insecure", () => "");
  const out = shop.path("crane-out");
  return {
    name: "crane",
    exact: true,
    login: (site, { user, password }) =>
      runAt(site)(`auth login${insecure(site)} ${site.host} -u ${user} --password-stdin`, password),
    logout: (site) => runAt(site)(`auth logout ${site.host}`),
    push: async (site, name, from = "index") =>
      digestIn(
        await strict(runAt(site))(
          `push${insecure(site)} ${indexes.has(from) ? "--index " : ""}${layoutOf(shop, from)} ${site.host}/${name}`,
        ),
      ),
    pull: async (site, name) => {
      await strict(runAt(site))(`pull${insecure(site)} --format oci ${site.host}/${name} ${out}`);
      return inLayout(out);
    },
  };
};

const regctl = ({ shop }: Bench): Client => {
  const run = runner(shop, findPeer("regctl") ?? "", { REGCTL_CONFIG: shop.path("regctl.json") });
  const ok = strict(run);
  const known = new Set<string>();
  /** Its certificates come as text, in its configuration. */
  const meet = async ({ host, ca }: Site): Promise<void> => {
    if (known.has(host)) return;
    known.add(host);
    const trust = ca === undefined ? ["--tls", "disabled"] : ["--cacert", await readFile(ca.file, "utf8")];
    await succeed([findPeer("regctl") ?? "", "registry", "set", "--skip-check", ...trust, host], {
      env: { ...shop.env, REGCTL_CONFIG: shop.path("regctl.json") },
    });
  };
  const out = shop.path("regctl-out");
  return {
    name: "regctl",
    exact: true,
    login: async (site, { user, password }) => {
      await meet(site);
      return run(`registry login ${site.host} -u ${user} --pass-stdin`, password);
    },
    logout: (site) => run(`registry logout ${site.host}`),
    push: async (site, name, from = "index") => {
      await meet(site);
      await ok(`image copy ocidir://${layoutOf(shop, from)}:v1 ${site.host}/${name}`);
      return ok(`image digest ${site.host}/${name}`);
    },
    pull: async (site, name) => {
      await meet(site);
      await ok(`image copy ${site.host}/${name} ocidir://${out}:v1`);
      return inLayout(out);
    },
  };
};

const oras = ({ shop }: Bench): Client => {
  const run = runner(shop, findPeer("oras") ?? "", { DOCKER_CONFIG: shop.path("oras") });
  const ok = strict(run);
  const at = (site: Site, side = ""): string =>
    flags(site, `--${side}plain-http`, ({ file }) => `--${side}ca-file ${file}`);
  const out = shop.path("oras-out");
  return {
    name: "oras",
    exact: true,
    login: (site, { user, password }) => run(`login ${at(site)} -u ${user} --password-stdin ${site.host}`, password),
    logout: (site) => run(`logout ${site.host}`),
    push: async (site, name, from = "index") =>
      digestIn(
        await ok(`cp --no-tty --from-oci-layout ${layoutOf(shop, from)}:v1 ${at(site, "to-")} ${site.host}/${name}`),
      ),
    pull: async (site, name) => {
      await ok(`cp --no-tty ${at(site, "from-")} ${site.host}/${name} --to-oci-layout ${out}:v1`);
      return inLayout(out);
    },
  };
};

const dray = ({ shop }: Bench): Client => {
  const run = (words: string, input = ""): Promise<Finished> => shop.dray(words.split(/\s+/), { input });
  const ok = strict(run);
  const at = (site: Site): string => flags(site, "", ({ file }) => `--ca-file ${file} `);
  const out = shop.path("dray-out");
  return {
    name: "dray",
    exact: true,
    login: (site, { user, password }) =>
      run(`auth login ${at(site)}${site.host} -u ${user} --password-stdin`, password),
    logout: (site) => run(`auth logout ${site.host}`),
    push: async (site, name, from = "index") => {
      await ok(`cp ${at(site)}oci:${layoutOf(shop, from)}:v1 ${site.host}/${name}`);
      return ok(`digest ${at(site)}${site.host}/${name}`);
    },
    pull: async (site, name) => {
      await ok(`cp ${at(site)}${site.host}/${name} oci:${out}:v1`);
      return inLayout(out);
    },
  };
};

/** All of them; whoever uses one looks first whether it is there. */
export const clientsOf = async (bench: Bench): Promise<Client[]> => {
  // A file of credentials that is named and absent is an error to them.
  for (const name of ["skopeo", "podman", "buildah"]) await writeFile(bench.shop.path(`${name}.json`), "{}");
  return [
    skopeo(bench),
    containers("podman", bench),
    containers("buildah", bench),
    docker(bench),
    crane(bench),
    regctl(bench),
    oras(bench),
    dray(bench),
  ];
};
