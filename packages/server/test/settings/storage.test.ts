import { tryCases } from "./tried.ts";

tryCases("storage", (key) => key.startsWith("storage."));
