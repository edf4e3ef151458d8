import type { WantedFile } from "../../contract/change.ts";
import { plainFile } from "../../evidence/file.ts";
import type { Server } from "./server.ts";

const COMMENT = "# Written by meshctl: change the inventory or the playbook, not this file.\n";

/** The drop-in file. Every server reads the group [mysqld]. */
export function dropInFile(
  server: Server,
  settings: readonly { readonly name: string; readonly inFile: string }[],
): WantedFile {
  const lines = settings.map(({ name, inFile }) => `${name} = ${inFile}\n`).join("");
  return plainFile(server.dropIn, `${COMMENT}[mysqld]\n${lines}`);
}

/** A value of a drop-in as `dropInFile` writes it. */
export function valueInDropIn(content: string | undefined, name: string): string | undefined {
  return content?.match(new RegExp(`^${name} = (\\S+)$`, "m"))?.[1];
}
