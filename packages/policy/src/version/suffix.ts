/** What stands behind the numbers of a version, told apart. */
export interface Suffix {
  /** `rc.1`; empty for a release. */
  readonly prerelease: string;
  /** `alpine`, `slim-bookworm`: the same software on another base, or for another use. */
  readonly flavour: string;
  /** A rebuild of the same: `r5`. */
  readonly build: string;
}

/** First words of what comes before a release. Every other word is a flavour: nobody keeps a list of those. */
const beforeRelease = new Set(
  (
    "a alpha b beta c rc cr m milestone pre preview prerelease dev devel develop development snapshot nightly daily weekly canary edge next " +
    "experimental unstable test testing insiders ea eap incubating main master trunk head tip branch feature feat pr wip ci git sha commit candidate"
  ).split(" "),
);

const isBeforeRelease = (segment: string): boolean => {
  const [word = ""] = /^[A-Za-z]*/.exec(segment) ?? [];
  const rest = segment.slice(word.length);
  return beforeRelease.has(word.toLowerCase()) && /^(?:[.0-9]|$)/.test(rest);
};

/** A rebuild of the same software: of Bitnami and Alpine (`r5`), LinuxServer (`ls221`), k3s and RKE2, Rancher, and the clouds' Kubernetes. */
const rebuilt = /^(?:(?:r|ls|k3s|rke2r|rancher|build)\d+|(?:eksbuild|gke)\.\d+)$/;

/** A commit has letters and digits; a word in which all letters are below g has no digits. */
export const isCommit = (segment: string): boolean => /^g?(?=[a-f]*\d)[0-9a-f]{7,40}$/.test(segment);

/**
 * Reads `rc.1-alpine`, `debian-12-r5`, `4f8a2c1`: segments between dashes. Numbers belong to what stands before them, and those that stand first are a
 * pre-release, as semver.org has it; a commit is one as well.
 */
export const readSuffix = (text: string): Suffix => {
  const segments = text === "" ? [] : text.split("-");
  const last = segments.at(-1) ?? "";
  const isRebuild = rebuilt.test(last);
  if (isRebuild) segments.pop();
  const prerelease: string[] = [];
  const flavour: string[] = [];
  let into = prerelease;
  for (const segment of segments) {
    if (isBeforeRelease(segment) || isCommit(segment)) into = prerelease;
    else if (!/^[0-9.]+$/.test(segment)) into = flavour;
    into.push(segment);
  }
  return { prerelease: prerelease.join("-"), flavour: flavour.join("-"), build: isRebuild ? last : "" };
};
