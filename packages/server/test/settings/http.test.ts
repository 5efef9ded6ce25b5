import { tryCases } from "./tried.ts";

tryCases("http", (key) => key.startsWith("http."));
