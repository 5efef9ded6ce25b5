/** A package that is installed in an image. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** As its manager writes it: `amd64`, `x86_64`, `noarch`; empty where it does not say. */
  readonly architecture: string;
}

/** What a file of a package manager says, or why it cannot be read. */
export type PackageList = readonly InstalledPackage[] | { readonly unreadable: string };
