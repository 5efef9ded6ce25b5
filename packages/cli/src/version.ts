/** The version, as a constant so that `dray version` reads no file: the same in source, npm package and executable. */
export const version: string = "0.1.0";

/** The oldest Node that has what the command and the server use. */
export const oldestNode: string = "22.21";
