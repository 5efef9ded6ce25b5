/** Users and passwords in a file, hashed by bcrypt: watched, remembered, counted, computed in threads. */
export { openPasswordFile, type PasswordFile, type PasswordFileOptions } from "./password-file.ts";
