/**
 * Which mirrors there are: the files of podman, containerd and docker that say so, found, read and parsed.
 * Imports what the library makes of such files; knows no command, and asks nothing of the network.
 */
export { type MirrorFiles, noShortNames, readMirrors, type ShortNames } from "./read.ts";
