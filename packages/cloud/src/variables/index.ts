/**
 * Jobs of GitHub and GitLab, which are told their credentials in variables. Imports `hosts`; asks nobody anything.
 */
export { github, type VariableOptions } from "./github.ts";
export { gitlab } from "./gitlab.ts";
