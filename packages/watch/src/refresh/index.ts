/**
 * The engine of a watch: looks at repositories when they are due, within what their registries allow. Imports `client/`, `state/`, `ledger/` and what lies
 * below; knows no policy but as something that wants tags, and no command.
 */
export { type BudgetedClients, type BudgetedClientsOptions, budgetedClients } from "./budgeted-clients.ts";
export type { LookOptions, LookResult } from "./look.ts";
export { newestOf } from "./newest-of.ts";
export { createRefresh, type Refresh, type RefreshOptions, type Wanted } from "./refresh.ts";
