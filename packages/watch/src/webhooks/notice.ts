/** What a registry says has happened in a repository. Nothing of it is believed but that it is worth a look. */
export interface Push {
  /** Canonical: `ghcr.io/team/app`. */
  readonly repository: string;
  /** Whether repositories below this one are meant as well: who tells knows the project alone. */
  readonly below?: true;
  readonly tag?: string;
  readonly digest?: string;
  readonly action: "push" | "delete";
}

/** One notice as it came: what it is about, and by what a second one is known. */
export interface Notice {
  /** Its sender's id. Default: what it says. */
  readonly id?: string | undefined;
  /** It says nothing by which two pushes of one tag could be told apart: one that is the same again is another one. */
  readonly alike?: boolean | undefined;
  /** When it happened: milliseconds since 1970. */
  readonly time?: number | undefined;
  /** Empty where it is about something that changes no tag. */
  readonly pushes: readonly Push[];
}
