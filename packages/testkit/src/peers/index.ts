/** Real programs to test against and to measure beside: where they lie, how they are started and stopped. */
export { type CacheServer, startMemcached, startRedis } from "./cache-servers.ts";
export { type CuttingProxy, type CuttingProxyOptions, cuttingProxy } from "./cutting-proxy.ts";
export { type DockerRegistry, type DockerRegistryOptions, startDockerRegistry } from "./docker-registry.ts";
export { type EngineKind, noEngine, startEngine, type TestEngine } from "./engines.ts";
export { findPeer } from "./find.ts";
export { type KubernetesApi, noKubernetesApi, startKubernetesApi } from "./kubernetes.ts";
export { accepting, freePort } from "./ports.ts";
export { type Finished, finish, succeed } from "./run.ts";
