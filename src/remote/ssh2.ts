import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

/** The SSH library, loaded by the first connection: it takes as long as all of Node, and most commands make none. */
export const ssh2 = () => load("ssh2") as typeof import("ssh2");
