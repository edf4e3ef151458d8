// A build leaves what an older one wrote; a package must not carry that.
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
