/** The executables of a release: one for each kind of machine, by the name that README's Install has. */

export interface Target {
  /** The file's name. */
  readonly file: string;
  /** Bun's name of it. */
  readonly bun: string;
  readonly platform: "linux" | "darwin" | "win32";
  readonly arch: "x64" | "arm64";
  /** The loader that a system of musl has: where it is missing the executable cannot start. */
  readonly loader?: string;
}

const target = (
  bun: string,
  platform: Target["platform"],
  arch: Target["arch"],
  more: Pick<Target, "loader"> = {},
): Target => ({
  file: `dray-${bun}${platform === "win32" ? ".exe" : ""}`,
  bun: `bun-${bun}`,
  platform,
  arch,
  ...more,
});

/** `baseline` runs on processors without AVX2, from 2008 on; `musl` on Alpine. */
export const targets: readonly Target[] = [
  target("linux-x64", "linux", "x64"),
  target("linux-x64-baseline", "linux", "x64"),
  target("linux-x64-musl", "linux", "x64", { loader: "/lib/ld-musl-x86_64.so.1" }),
  target("linux-arm64", "linux", "arm64"),
  target("linux-arm64-musl", "linux", "arm64", { loader: "/lib/ld-musl-aarch64.so.1" }),
  target("darwin-x64", "darwin", "x64"),
  target("darwin-arm64", "darwin", "arm64"),
  target("windows-x64", "win32", "x64"),
  target("windows-x64-baseline", "win32", "x64"),
  target("windows-arm64", "win32", "arm64"),
];

/** What lies beside them. The signature is there where a key was given. */
export const companions = {
  manual: "dray-manual.tar.gz",
  sbom: "dray.cdx.json",
  licenses: "dray-licenses.txt",
  sums: "SHA256SUMS",
  signature: "SHA256SUMS.sig",
  signers: "allowed_signers",
} as const;

/** Why an executable cannot be tried on this machine; `undefined` where it can. */
export const untriable = (
  { platform, arch, loader }: Target,
  machine: { readonly platform: string; readonly arch: string; readonly has: (file: string) => boolean },
): string | undefined => {
  if (platform !== machine.platform || arch !== machine.arch) return `this is ${machine.platform} ${machine.arch}`;
  return loader === undefined || machine.has(loader) ? undefined : `there is no ${loader}`;
};
