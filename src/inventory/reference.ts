import { readFileSync } from "node:fs";
import { fileError } from "./file-error.ts";
import { resolvePath } from "./resolve-path.ts";

export function isReferenceTag(tag: string): boolean {
  return tag === "!env" || tag === "!file";
}

/** The text that `!env NAME` or `!file PATH` stands for. A relative path starts at the folder of the YAML file. */
export function resolveReference(
  tag: string,
  name: string,
  yamlFile: string,
  environment: NodeJS.ProcessEnv,
): { readonly text: string } | { readonly problem: string } {
  if (name === "")
    return { problem: `expected ${tag === "!env" ? "!env NAME" : "!file PATH"}, found ${tag} alone` };
  if (tag === "!env") {
    const text = environment[name];
    if (text === undefined) return { problem: `environment variable ${name} is not set` };
    return text === "" ? { problem: `environment variable ${name} is empty` } : { text };
  }
  const path = resolvePath(name, yamlFile);
  try {
    const text = readFileSync(path, "utf8").replace(/(\r?\n)+$/, "");
    return text === "" ? { problem: `${path}: is empty` } : { text };
  } catch (error) {
    return { problem: `${path}: ${fileError(error)}` };
  }
}
