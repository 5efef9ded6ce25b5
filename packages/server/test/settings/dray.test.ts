import { tryCases } from "./tried.ts";

tryCases("dray", (key) => key.startsWith("dray.") && !key.startsWith("dray.access."));
