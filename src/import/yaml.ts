/** Plain data on one line of YAML. */
export function yaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yaml).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${yaml(key)}: ${yaml(inner)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  if (/^\d+(\.\d+){3}$|^\d+(ms|s|m|h|d)$/.test(value)) return value;
  const isPlain =
    /^[A-Za-z/][\w ./_-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value) &&
    !/ $/.test(value);
  return isPlain ? value : JSON.stringify(value);
}

/** A comment of one line, whatever a file says in it. */
export function comment(text: string): string {
  return `# ${text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ")}`;
}
