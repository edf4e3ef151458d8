import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The absolute path of what a YAML file names: "~/" is the home folder, relative paths start beside the file. */
export function resolvePath(path: string, yamlFile: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return resolve(dirname(yamlFile), path);
}
