import { bare } from "@dray/service/response";
import type { HttpRequest, HttpResponse } from "dray/http";

/**
 * `OPTIONS`: what a browser asks before it sends a request to another origin, always without credentials, so it is answered before
 * anybody is asked who they are. Which origins may read is the operator's setting (`http.headers`).
 */
export const preflight = (request: HttpRequest): HttpResponse =>
  bare(request, 204, {
    Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers":
      "Authorization, Accept, Content-Type, Content-Range, Range, If-Match, If-None-Match",
    "Access-Control-Expose-Headers":
      "Docker-Content-Digest, Docker-Upload-UUID, ETag, Link, Location, OCI-Filters-Applied, OCI-Subject, OCI-Tag, Range, WWW-Authenticate",
    "Access-Control-Max-Age": "3600",
  });
