import { DatabaseSync } from "node:sqlite";

/** Looks at, or changes, a database as somebody else would, and closes it. */
export const withDatabase = <Result>(file: string, work: (database: DatabaseSync) => Result): Result => {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
};
