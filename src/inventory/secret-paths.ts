import type { Path } from "./path.ts";

const SECRET_KEYS: ReadonlySet<unknown> = new Set(["password", "sudo_password", "passphrase"]);

/** Whether the value at a path of the inventory or the playbook is a secret. */
export function isSecretPath(path: Path): boolean {
  return SECRET_KEYS.has(path.at(-1)) || (path.length === 2 && path[0] === "network" && path[1] === "proxy");
}

/** Whether what a reference at a path stands for is a secret: also a file's text, which may stand in the YAML as well. */
export function isSecretReference(path: Path): boolean {
  return isSecretPath(path) || (path.at(-1) === "content" && path.at(-3) === "files");
}

/** What a text that is no YAML seems to hold as plain secrets, so that no code frame shows them. */
export function plainSecrets(text: string): string[] {
  const lines = text.matchAll(/\b(?:password|sudo_password|passphrase)["']?[ \t]*:[ \t]*([^\s!#][^\n,}#]*)/g);
  return [...lines].map(([, value]) => value?.trim() ?? "");
}

/** Base64, also of a key in one line with "\\n" in it, or a header of an encrypted one. */
const KEY_LINE = /^(?:[\w+/=\\"', ]*|(?:Proc-Type|DEK-Info): .*)$/;

/** Lines of private keys that a text holds where only a key's file is named. */
export function privateKeyLines(text: string): string[] {
  const keys = text.split(/-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/).slice(1);
  return keys.flatMap((key) => {
    const lines = key
      .split("-----", 1)[0]!
      .split("\n")
      .map((line) => line.trim());
    // Of one that has no end only what looks like a key is one.
    const end = lines.findIndex((line) => !KEY_LINE.test(line));
    return (end === -1 ? lines : lines.slice(0, end)).filter((line) => line.length >= 16);
  });
}
