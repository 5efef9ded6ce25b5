/**
 * Mirrors: which rule holds for an image, what its places are asked, and rules made of the files that others keep.
 * Imports what its parent speaks to registries with; reads no file, and knows no TOML.
 */
export { dockerMirrors } from "./docker-mirrors.ts";
export type { ConfigDocument } from "./document.ts";
export { type HostsToml, type HostsTomlOptions, hostsToml } from "./hosts-toml.ts";
export { mirroring } from "./mirroring.ts";
export { type RegistriesConf, registriesConf } from "./registries-conf.ts";
export { isInsecure, type Mirror, type MirroredRepository, type MirrorRule } from "./rules.ts";
