/** Where a request of the distribution API goes. `name` and `digest` are as they were written, unchecked. */
export type Route =
  | {
      readonly kind: "ping";
    }
  | {
      readonly kind: "catalog";
    }
  | {
      readonly kind: "tags";
      readonly repository: string;
    }
  | {
      readonly kind: "manifest";
      readonly repository: string;
      readonly name: string;
    }
  | {
      readonly kind: "blob";
      readonly repository: string;
      readonly digest: string;
    }
  | {
      readonly kind: "uploads";
      readonly repository: string;
    }
  | {
      readonly kind: "upload";
      readonly repository: string;
      readonly session: string;
    }
  | {
      readonly kind: "referrers";
      readonly repository: string;
      readonly digest: string;
    }
  | {
      readonly kind: "invalid";
      readonly repository: string;
    }
  | {
      readonly kind: "unknown";
    };
/** Path and query of a raw target, the query decoded. */
export declare const splitTarget: (target: string) => {
  path: string;
  query: URLSearchParams;
};
/** Reads a path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. */
export declare const routeOf: (path: string) => Route;
