import { bytesBody } from "dray/content";
export const emptyBody = bytesBody(new Uint8Array(0));
/** An answer to a request. Without a body it says `Content-Length: 0`, unless the status may have none. */
export const respond = (request, status, headers = {}, body = emptyBody) => {
    const pairs = isPairs(headers) ? headers : Object.entries(headers);
    const hasLength = pairs.some(([name]) => name.toLowerCase() === "content-length");
    const length = status === 204 || hasLength || body.length === undefined ? [] : [contentLength(body.length)];
    return { status, headers: [...pairs, ...length], url: request.origin + request.target, body };
};
const isPairs = (headers) => Array.isArray(headers);
const contentLength = (length) => ["Content-Length", String(length)];
/** JSON as an answer. `Content-Type` is `application/json` unless the headers say otherwise. */
export const respondJson = (request, status, value, headers = {}) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const all = { "Content-Type": "application/json", ...headers };
    // A HEAD has the headers of the GET and no body.
    return request.method === "HEAD"
        ? respond(request, status, { ...all, "Content-Length": String(bytes.byteLength) })
        : respond(request, status, all, bytesBody(bytes));
};
/** An error in the form of the specification: `{errors: [{code, message, detail}]}`. */
export const refuse = (request, status, code, message, headers = {}) => respondJson(request, status, { errors: [{ code, message, detail: null }] }, headers);
