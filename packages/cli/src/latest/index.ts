/** The newest tag of a repository: flags of a policy, and who tells of tags and their images. Imports the library and policies; knows no command. */
export { type Place, placeOf } from "./place.ts";
export { addImageFlags, addPolicyFlags, documentOf, type PolicyOptions } from "./policy-flags.ts";
export { sourceOf, type TagSource } from "./source.ts";
