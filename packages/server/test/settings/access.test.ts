import { tryCases } from "./tried.ts";

tryCases("access", (key) => key.startsWith("auth.") || key.startsWith("dray.access."));
