import { tryCases } from "./tried.ts";

tryCases("general", (key) => !/^(?:storage|auth|http|dray)\./.test(key));
