/**
 * Whether there is room for what is pushed: on the disk, and in the repository, by what lies there and what is on its way.
 * Imports the tree, the patterns of `access/` and what `uploads/` count; knows no request, and removes nothing.
 */
export { parseQuotas, type Quota } from "./quotas.ts";
export { type Announced, type Reservation, Room, type RoomOptions } from "./room.ts";
