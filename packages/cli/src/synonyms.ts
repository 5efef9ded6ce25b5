/**
 * Words of docker, podman, crane, skopeo, regctl, oras and distribution that are no words here, and what is. Data alone: who types one
 * is told the right word, and nothing is done on a guess.
 */

const images = "one image after another: dray copy, dray inspect, dray digest IMAGE";

/** A command, with those it is below, and how the same is said here. */
const commands: Readonly<Record<string, string>> = {
  login: "dray auth login REGISTRY",
  logout: "dray auth logout REGISTRY",
  whoami: "dray auth explain REGISTRY",
  "auth add": "dray auth login REGISTRY",
  "auth list": "dray auth explain REGISTRY",
  "auth ls": "dray auth explain REGISTRY",
  "auth remove": "dray auth logout REGISTRY",
  "auth rm": "dray auth logout REGISTRY",
  "auth show": "dray auth explain REGISTRY",
  "auth status": "dray auth explain REGISTRY",
  tags: "dray ls REPOSITORY",
  list: "dray ls REPOSITORY",
  "list-tags": "dray ls REPOSITORY",
  "tag list": "dray ls REPOSITORY",
  "tag ls": "dray ls REPOSITORY",
  "tag delete": "dray delete IMAGE",
  "tag rm": "dray delete IMAGE",
  images: "dray ls REPOSITORY for tags, dray catalog REGISTRY for repositories",
  repo: "dray ls REPOSITORY for tags, dray catalog REGISTRY for repositories",
  repos: "dray catalog REGISTRY",
  repositories: "dray catalog REGISTRY",
  search: "dray catalog REGISTRY",
  rm: "dray delete IMAGE",
  rmi: "dray delete IMAGE",
  remove: "dray delete IMAGE",
  del: "dray delete IMAGE",
  untag: "dray delete IMAGE",
  save: "dray pull IMAGE FILE",
  download: "dray pull IMAGE FILE",
  load: "dray push FILE IMAGE",
  import: "dray push FILE IMAGE",
  upload: "dray push FILE IMAGE",
  updates: "dray outdated FILE",
  upgrade: "dray outdated FILE",
  mirror: "dray copy -a SOURCE DESTINATION",
  sync: "dray copy -a SOURCE DESTINATION",
  backup: "dray copy -a REPOSITORY oci:DIR",
  mv: "dray copy SOURCE DESTINATION, then dray delete SOURCE",
  move: "dray copy SOURCE DESTINATION, then dray delete SOURCE",
  rename: "dray tag IMAGE TAG",
  retag: "dray tag IMAGE TAG",
  image: images,
  artifact: images,
  show: "dray inspect IMAGE",
  info: "dray inspect IMAGE",
  history: "dray inspect IMAGE",
  labels: "dray inspect IMAGE",
  describe: "dray inspect IMAGE",
  platforms: "dray inspect IMAGE",
  head: "dray digest IMAGE",
  resolve: "dray digest IMAGE",
  referrers: "dray tree IMAGE",
  discover: "dray tree IMAGE",
  ping: "dray doctor REGISTRY",
  check: "dray doctor REGISTRY for a registry, dray validate LOCATION for an image",
  diagnose: "dray doctor REGISTRY",
  verify: "dray validate LOCATION for digests, dray serve verify for a registry's volume",
  "manifest fetch": "dray manifest IMAGE",
  "manifest get": "dray manifest IMAGE",
  "manifest inspect": "dray manifest IMAGE",
  "manifest head": "dray digest IMAGE",
  "manifest delete": "dray delete IMAGE",
  "blob fetch": "dray blob REPOSITORY@DIGEST",
  "blob get": "dray blob REPOSITORY@DIGEST",
  "registry start": "dray registry serve",
  "registry run": "dray registry serve",
  "registry login": "dray auth login REGISTRY",
  "registry logout": "dray auth logout REGISTRY",
  "index add": "dray index append INDEX -m IMAGE",
  "index create": "dray index append -m IMAGE,IMAGE -t INDEX",
  "index delete": "dray index remove --platform PLATFORM INDEX",
  "manifest create": "dray index append -m IMAGE,IMAGE -t INDEX",
  "manifest annotate": "dray index annotate --annotation KEY=VALUE INDEX",
  "cache clean": "dray cache prune --all",
  "cache clear": "dray cache prune --all",
  "cache delete": "dray cache prune --all",
  "cache gc": "dray cache prune",
  "cache list": "dray cache ls",
  "cache purge": "dray cache prune --all",
  "cache rm": "dray cache prune --all",
  "layout check": "dray validate oci:DIR",
  "layout prune": "dray layout gc DIR",
  annotate: "dray mutate --annotation KEY=VALUE IMAGE",
  mod: "dray mutate IMAGE",
  server: "dray serve",
  start: "dray serve",
  untagged: "dray gc REPOSITORY",
  "garbage-collect": "dray serve gc",
  scrub: "dray serve verify",
};

/** What cannot be done yet, and what can. */
const missing: Readonly<Record<string, string>> = {
  attach: "dray tree IMAGE shows what is attached, dray copy --referrers takes it along",
  sign: "dray tree IMAGE shows signatures, dray copy --referrers takes them along",
  build: "dray push FILE IMAGE pushes what was built",
};

/** What to say of a command that is not there; `undefined` where nobody has one of that name. @param path without `dray` */
export const commandElsewhere = (path: string): string | undefined => {
  const here = Object.hasOwn(commands, path) ? commands[path] : undefined;
  if (here !== undefined) return `here it is ${here}`;
  const instead = Object.hasOwn(missing, path) ? missing[path] : undefined;
  return instead === undefined ? undefined : `that is not there yet; ${instead}`;
};

const everyPlatform = "an index is copied whole unless --platform names some of it; --all-tags copies every tag";
const endCredentials = (end: string): string =>
  `--${end}-username NAME with --${end}-password-stdin, or --${end}-authfile FILE`;

/** A flag, and the flags that do the same here. */
const flags: Readonly<Record<string, string>> = {
  "--tls-verify": "--skip-tls-verify for any certificate, --plain-http for no TLS, --insecure for both",
  "--src-tls-verify": "--src-insecure",
  "--dest-tls-verify": "--dest-insecure",
  "--from-insecure": "--src-insecure",
  "--to-insecure": "--dest-insecure",
  "--from-plain-http": "--src-plain-http",
  "--to-plain-http": "--dest-plain-http",
  "--insecure-skip-tls-verify": "--skip-tls-verify",
  "--insecure-policy": "no policy is asked; leave it out, or --insecure for registries without TLS",
  "--http": "--plain-http",
  "--tls": "--plain-http for no TLS, --skip-tls-verify for any certificate",
  "-k": "--skip-tls-verify",
  "--cert-dir": "--ca-file FILE, --cert FILE and --key FILE",
  "--src-cert-dir": "--src-ca-file FILE, --src-cert FILE and --src-key FILE",
  "--dest-cert-dir": "--dest-ca-file FILE, --dest-cert FILE and --dest-key FILE",
  "--cacert": "--ca-file FILE",
  "--ca-cert": "--ca-file FILE",
  "--tlscacert": "--ca-file FILE",
  "--cert-file": "--cert FILE",
  "--client-cert": "--cert FILE",
  "--tlscert": "--cert FILE",
  "--key-file": "--key FILE",
  "--client-key": "--key FILE",
  "--tlskey": "--key FILE",
  "--creds": "--username NAME with --password-stdin, or --authfile FILE",
  "--src-creds": endCredentials("src"),
  "--dest-creds": endCredentials("dest"),
  "--from-username": endCredentials("src"),
  "--from-password": endCredentials("src"),
  "--from-password-stdin": endCredentials("src"),
  "--to-username": endCredentials("dest"),
  "--to-password": endCredentials("dest"),
  "--to-password-stdin": endCredentials("dest"),
  "--user": "--username NAME",
  "--pass": "--password-stdin",
  "-u": "--username NAME",
  "-p": "--password-stdin",
  "--registry-config": "--authfile FILE",
  "--from-registry-config": "--src-authfile FILE",
  "--to-registry-config": "--dest-authfile FILE",
  "--config": "--authfile FILE",
  "-R": "--referrers",
  "--digest-tags": "--referrers",
  "--with-referrers": "--referrers",
  "--include-referrers": "--referrers",
  "--all": everyPlatform,
  "--multi-arch": everyPlatform,
  "--all-platforms": everyPlatform,
  "--override-os": "--platform OS/ARCH",
  "--override-arch": "--platform OS/ARCH",
  "--override-variant": "--platform OS/ARCH/VARIANT",
  "--os": "--platform OS/ARCH",
  "--arch": "--platform OS/ARCH",
  "--preserve-digests": "every digest is kept; leave it out",
  "--remove-signatures": "signatures come along with --referrers alone; leave it out",
  "--skip-existing": "--no-clobber",
  "--no-overwrite": "--no-clobber",
  "--concurrency": "--jobs COUNT",
  "--parallel": "--jobs COUNT",
  "--retry-times": "--retry COUNT",
  "--retries": "--retry COUNT",
  "--max-retries": "--retry COUNT",
  "--command-timeout": "--timeout DURATION for a registry that is silent",
  "--format": "--output json",
  "-f": "--output json",
  "--json": "--output json",
  "--debug": "--verbose",
  "-d": "--verbose",
  "--verbosity": "--verbose",
  "--log-level": "--verbose",
  "--trace": "--verbose",
  "--silent": "--quiet",
  "-s": "--quiet",
  "--no-tty": "--progress plain",
  "--no-progress": "--progress none",
  "--last": "--match and --exclude choose tags, --limit COUNT ends the list",
  "--filter": "--match PATTERN",
  "--include": "--match PATTERN",
  "--exclude-digest-tags": "--omit-digest-tags",
  "-n": "--limit COUNT",
  "--raw": "dray manifest IMAGE prints the manifest as it is",
  "--oci-layout": "write the image as oci:DIR:NAME",
  "--from-oci-layout": "write the source as oci:DIR:NAME",
  "--to-oci-layout": "write the destination as oci:DIR:NAME",
  "--blobs-to-disk": "--disk FOLDER",
  "--proxy": "the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
  "--version": "dray version",
  "-V": "dray version",
};

/** What to say of a flag that is not there. Where the command lacks what would be said, nothing is. @param knows whether a command has a flag */
export const flagElsewhere = (flag: string, knows: (flag: string) => boolean): string | undefined => {
  const [name = ""] = flag.split("=");
  const here = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (here === undefined || !(here.match(/--[a-z-]+/g) ?? []).every(knows)) return undefined;
  return /^(?:--|dray )/.test(here) ? `here it is ${here}` : here;
};

/** Every hint, for whoever checks that it names what there is. */
export const hints: readonly string[] = [
  ...Object.values(commands),
  ...Object.values(missing),
  ...Object.values(flags),
];

/** The commands that are not there yet. */
export const notYet: readonly string[] = Object.keys(missing);
