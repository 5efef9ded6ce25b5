import { tryCases } from "./tried.ts";

tryCases("dray", (key) => /^dray\.(?!access\.|limits\.)/.test(key));
