/**
 * The life of a program: signals, work again and again, certificates that are renewed, and what has to be closed at its end.
 * Imports `http-server/` and `observe/`; knows nothing of what the program is for.
 */
export { Certificates } from "./certificates.ts";
export { CloseStack } from "./close-stack.ts";
export { descriptors, tooMany } from "./descriptors.ts";
export { every } from "./schedule.ts";
export { type Service, type SignalOptions, type SignalSource, untilSignals } from "./signals.ts";
export { readTls, type SomeTlsFiles, type TlsFault, type TlsFiles, tlsFaults } from "./tls-files.ts";
export { authorityFaults, validityFault } from "./validity.ts";
