/** What signaling.d.ts promises is what signaling.js has: types.test.mjs puts both beside this file and compiles it. */

import * as written from "./written/signaling.js";

type Written = typeof import("./written/signaling.js");
type Promised = typeof import("./promised/signaling.js");

export const promised: Promised = written;
const everyExport: Record<keyof Written, true> = {} as Record<keyof Promised, true>;
export { everyExport };
