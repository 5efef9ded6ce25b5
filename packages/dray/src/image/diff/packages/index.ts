/**
 * What package managers wrote down of what they installed: dpkg, apk and rpm, read from their own files.
 * Imports nothing above `oci/`; knows no image and no layer.
 */
export { databaseOf, isPackageFile, readPackages } from "./databases.ts";
export type { InstalledPackage, PackageList } from "./installed.ts";
