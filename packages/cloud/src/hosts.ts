/**
 * Which cloud a registry is one of, by its name alone. Imports nothing: a program asks here first, and loads no file of a cloud for a registry
 * that is none of theirs.
 */

/** The clouds that there is a keychain for, in the order in which they are asked. */
export const cloudNames = ["ecr", "google", "acr", "github", "gitlab"] as const;

/** A cloud, as `DRAY_KEYCHAINS` names it. */
export type CloudName = (typeof cloudNames)[number];

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the name of a private registry at Amazon ECR says. */
export interface EcrRegistry {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Whether its endpoints are the ones with validated cryptography. */
  readonly fips: boolean;
  /** Whether it is reached over IPv6 as well. */
  readonly dualStack: boolean;
}

/**
 * Names under which Amazon's partitions have their registries: commercial and GovCloud, China, the European Sovereign Cloud, and the isolated
 * ones; then those that are reached over IPv6 as well.
 */
const ecrSuffixes = {
  single: [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
  ],
  dual: [
    "on.aws",
    "on.amazonwebservices.com.cn",
    "on.amazonwebservices.eu",
    "on.aws.ic.gov",
    "on.aws.scloud",
    "on.cloud-aws.adc-e.uk",
    "on.aws.hci.ic.gov",
  ],
} as const;

const ecrGrammar = /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-z0-9][a-z0-9-]*)\.(.+)$/;

/**
 * Reads the name of a private registry at Amazon ECR. `undefined`: it is none.
 * @example ecrRegistry("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?.region // "eu-west-1"
 */
export const ecrRegistry = (registry: string): EcrRegistry | undefined => {
  const [, account = "", dot, fips, region = "", suffix = ""] = ecrGrammar.exec(hostOf(registry)) ?? [];
  const dualStack = dot === "-";
  const known: readonly string[] = dualStack ? ecrSuffixes.dual : ecrSuffixes.single;
  return known.includes(suffix) ? { account, region, fips: fips !== undefined, dualStack } : undefined;
};

/** Amazon's registry for everybody, which has more to give to who says who they are. */
export const isEcrPublic = (registry: string): boolean =>
  ["public.ecr.aws", "ecr-public.aws.com"].includes(hostOf(registry));

/** Google's registries: Container Registry, and Artifact Registry in every region. */
export const isGoogle = (registry: string): boolean => {
  const host = hostOf(registry);
  return /^(?:[a-z0-9-]+\.)*gcr\.io$/.test(host) || /^[a-z0-9-]+-docker\.pkg\.dev$/.test(host);
};

/** By the end of the name: Azure's cloud for everybody, in China, for the US government, and the former one in Germany. */
const acrClouds = { io: "public", cn: "china", us: "government", de: "germany" } as const;

/** One of Azure's clouds, each with authorities and audiences of its own. */
export type AzureCloud = (typeof acrClouds)[keyof typeof acrClouds];

/** The cloud that a registry at Azure is in. `undefined`: it is none. */
export const azureCloud = (registry: string): AzureCloud | undefined => {
  const [, end] = /^[a-z0-9][a-z0-9.-]*\.azurecr\.(io|cn|us|de)$/.exec(hostOf(registry)) ?? [];
  return end === undefined ? undefined : acrClouds[end as keyof typeof acrClouds];
};

/** GitHub's registry. */
export const isGitHub = (registry: string): boolean => hostOf(registry) === "ghcr.io";

/** Where a job of GitLab's finds its registry, and the proxy through which it pulls from Docker Hub. */
export const isGitLab = (registry: string, env: Environment): boolean =>
  [env["CI_REGISTRY"], env["CI_DEPENDENCY_PROXY_SERVER"]].some((named) => isNamed(registry, named));

/** Whether a variable names this registry; a path behind the host does not count. */
export const isNamed = (registry: string, named: string | undefined): boolean => {
  const host = hostOf(
    (named ?? "")
      .trim()
      .replace(/^https?:\/\//, "")
      .replace(/\/.*$/, ""),
  );
  return host !== "" && host === hostOf(registry);
};

const tests: Readonly<Record<CloudName, (registry: string, env: Environment) => boolean>> = {
  ecr: (registry) => ecrRegistry(registry) !== undefined || isEcrPublic(registry),
  google: isGoogle,
  acr: (registry) => azureCloud(registry) !== undefined,
  github: isGitHub,
  gitlab: isGitLab,
};

/**
 * The clouds whose registry this is, by its name and by what a job of GitLab's says.
 * @example cloudsOf("europe-docker.pkg.dev") // ["google"]
 */
export const cloudsOf = (registry: string, env: Environment = process.env): CloudName[] =>
  cloudNames.filter((name) => tests[name](registry, env));

/** Lower case, without the port that https has anyway. */
const hostOf = (registry: string): string => registry.toLowerCase().replace(/:443$/, "");
