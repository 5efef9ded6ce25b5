/** The version of the library, as a constant: it is the same in source, npm package and executable, and no file is read for it. */
export const version: string = "0.1.0";
