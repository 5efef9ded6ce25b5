/**
 * Container engines by docker's API: where they are, what they are asked, and their images as a store.
 * Imports everything up to `archive/` and `layout/`; knows no registry's API, no view of an image and no location in words.
 */
export { type ContainerStore, containerStore } from "./container-store.ts";
export type { EngineContainer, EngineContainerEntry, EngineContainers, NewContainer } from "./containers.ts";
export { type ConnectEngineOptions, connectEngine, type Engine, type EngineVersion } from "./engine.ts";
export { type EngineStore, engineStore } from "./engine-store.ts";
export type { FindEngineOptions } from "./find-engine.ts";
export type {
  EngineCall,
  EngineImage,
  EngineImageEntry,
  EngineImages,
  EnginePush,
  EngineTransfer,
} from "./images.ts";
export type { EngineMessage } from "./messages.ts";
export { type Puller, type PullerOptions, puller } from "./puller.ts";
