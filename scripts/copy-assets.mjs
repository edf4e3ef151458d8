// tsc emits only JavaScript; the shell scripts that run on the hosts travel beside it.
import { cpSync } from "node:fs";

cpSync("src", "dist", {
  recursive: true,
  filter: (source) => !source.endsWith(".ts"),
});
