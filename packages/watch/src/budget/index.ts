/**
 * What registries allow: one budget for each registry and identity, kept in the file across restarts.
 * Imports `file/` and the library; knows no repository and no tag.
 */
export { Budget, type BudgetLimits, type BudgetSettings } from "./budget.ts";
export { type BudgetKey, Budgets } from "./budgets.ts";
export { countsOf } from "./counts.ts";
export { type WithinOptions, withinBudget } from "./middleware.ts";
export { budgetTables } from "./tables.ts";
