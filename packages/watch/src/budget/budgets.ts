import type { Statements } from "@dray/service/sqlite";
import { refuseNumber } from "dray/internal/numbers";
import { Budget, type BudgetLimits, type BudgetSettings, type Known } from "./budget.ts";

/** Whose budget it is. */
export interface BudgetKey {
  /** As references name it: `docker.io`. */
  readonly registry: string;
  /** Who asks, in words without a secret: a user's name. Empty for anybody. */
  readonly identity?: string | undefined;
}

/**
 * The budgets of all registries. They are read from the file once, and written by `save`, which belongs into the transaction that keeps what was
 * found out with them.
 * @example
 * const budgets = new Budgets(file.statements, { reserve: 0.3 });
 * const hub = budgets.of({ registry: "docker.io", identity: "ann" });
 * await file.write((statements) => budgets.save(statements));
 */
export class Budgets {
  readonly #settings: BudgetSettings;
  readonly #budgets = new Map<string, Budget>();

  /** @throws DrayError `USAGE` for a reserve that is no share */
  constructor(statements: Statements, settings: BudgetSettings = {}) {
    const { reserve = 0 } = settings;
    refuseNumber("reserve", reserve, { fractions: true, from: 0, to: 1 });
    this.#settings = settings;
    for (const row of statements.all("SELECT registry, identity, known FROM budgets")) {
      const [registry = "", identity = "", text = ""] = row as readonly string[];
      this.#add(registry, identity, JSON.parse(text) as Known);
    }
  }

  /** The same one for the same registry and identity. */
  of({ registry, identity = "" }: BudgetKey): Budget {
    return this.#budgets.get(keyOf(registry, identity)) ?? this.#add(registry, identity, {});
  }

  /** What is left where. */
  limits(now: number): readonly BudgetLimits[] {
    return [...this.#budgets.values()].map((budget) => budget.limits(now));
  }

  /** Writes what has changed, within the caller's transaction. */
  save(statements: Statements): void {
    const sql = `INSERT INTO budgets (registry, identity, known) VALUES (?, ?, ?)
      ON CONFLICT (registry, identity) DO UPDATE SET known = excluded.known`;
    for (const budget of this.#budgets.values()) {
      const known = budget.takeChange();
      if (known !== undefined) statements.run(sql, budget.registry, budget.identity, JSON.stringify(known));
    }
  }

  #add(registry: string, identity: string, known: Known): Budget {
    const budget = new Budget(registry, identity, known, this.#settings);
    this.#budgets.set(keyOf(registry, identity), budget);
    return budget;
  }
}

const keyOf = (registry: string, identity: string): string => `${registry} ${identity}`;
