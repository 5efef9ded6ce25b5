/**
 * Dockerfiles as BuildKit reads them: lines that go on, heredocs, stages. Imports variables/ and the sink; knows nothing of trees.
 */
export { inDockerfile } from "./in-dockerfile.ts";
