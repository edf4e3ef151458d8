/** Keys and list indexes that lead to a value in a YAML file. */
export type Path = readonly (string | number)[];

/** `plays[0].steps.sysctl."net.core.somaxconn"`: keys that hold more than a name's characters are quoted. */
export function formatPath(path: Path): string {
  return path
    .map((part) => {
      if (typeof part === "number") return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `.${JSON.stringify(part)}`;
    })
    .join("")
    .replace(/^\./, "");
}
