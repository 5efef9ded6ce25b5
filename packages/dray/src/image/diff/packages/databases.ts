import { apkPackages } from "./apk.ts";
import { dpkgPackages } from "./dpkg.ts";
import type { InstalledPackage, PackageList } from "./installed.ts";
import { ndbBlobs } from "./ndb.ts";
import { rpmPackage } from "./rpm-header.ts";
import { sqliteBlobs } from "./sqlite.ts";

type Reader = (bytes: Uint8Array) => PackageList;

const rpmFolders = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["/var/lib/dpkg/status", dpkgPackages],
  ["/lib/apk/db/installed", apkPackages],
  ["/usr/lib/apk/db/installed", apkPackages],
  ...rpmFolders.flatMap((folder): [string, Reader][] => [
    [`${folder}/rpmdb.sqlite`, (bytes) => rpmList(sqliteBlobs(bytes, "Packages"))],
    [`${folder}/Packages.db`, (bytes) => rpmList(ndbBlobs(bytes))],
    [
      `${folder}/Packages`,
      () => ({ unreadable: "it is a Berkeley database, as rpm kept until 2020, which is not read" }),
    ],
  ]),
]);

/** Distroless images have a file for each package of dpkg's. */
const dpkgFolder = "/var/lib/dpkg/status.d/";

const readerOf = (path: string): Reader | undefined =>
  readers.get(path) ?? (isOfFolder(path) ? dpkgPackages : undefined);

/** Files of checksums lie beside them. */
const isOfFolder = (path: string): boolean => path.startsWith(dpkgFolder) && !path.endsWith(".md5sums");

/** Whether installed packages are listed in a file, by its path from the root of an image. */
export const isPackageFile = (path: string): boolean => readerOf(path) !== undefined;

/** The database that a file belongs to: itself, or the folder of which each file is a package. */
export const databaseOf = (path: string): string => (isOfFolder(path) ? dpkgFolder.slice(0, -1) : path);

/** The packages that such a file names. Never throws: a damaged file is told as one that cannot be read. */
export const readPackages = (path: string, bytes: Uint8Array): PackageList => {
  try {
    return readerOf(path)?.(bytes) ?? { unreadable: "it is no list of packages" };
  } catch (error) {
    // What lies in an image may be anything, and is no reason to stop comparing.
    return { unreadable: error instanceof RangeError ? "it is damaged" : String((error as Error).message) };
  }
};

const rpmList = (blobs: Iterable<Uint8Array>): PackageList => {
  const found: InstalledPackage[] = [];
  for (const blob of blobs) {
    const one = rpmPackage(blob);
    if (one !== undefined) found.push(one);
  }
  return found;
};
