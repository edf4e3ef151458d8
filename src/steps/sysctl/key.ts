/**
 * A key's path below /proc/sys. Files write "net.ipv4.tcp_fin_timeout" or "net/ipv4/tcp_fin_timeout": the first
 * separator decides, and where that is a dot, a slash stands for a dot ("net.ipv4.conf.eth0/100.rp_filter").
 * https://www.freedesktop.org/software/systemd/man/latest/sysctl.d.html#Configuration%20Format
 */
export function procPathOf(key: string): string {
  const path = /^[^./]*\./.test(key) ? key.replace(/[./]/g, (mark) => (mark === "." ? "/" : ".")) : key;
  return path.replace(/\/+/g, "/").replace(/^\/|\/$/g, "");
}

/** Whether a path in a file stands for several keys. */
export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** As glob(3) does it: no wildcard matches a slash. */
export function globMatches(glob: string, path: string): boolean {
  const pattern = glob
    .replace(/\[!/g, "[^")
    .replace(/[.+^$(){}|\\]|\*|\?/g, (mark, at: number, text: string) => {
      if (mark === "*") return "[^/]*";
      if (mark === "?") return "[^/]";
      return mark === "^" && text[at - 1] === "[" ? mark : `\\${mark}`;
    });
  try {
    return new RegExp(`^${pattern}$`).test(path);
  } catch {
    // An unfinished bracket is no pattern: glob(3) finds nothing with it.
    return false;
  }
}

/** A value as it is compared: the kernel parts several numbers by tabs, people by spaces. */
export function normaliseValue(value: string): string {
  return value.trim().replace(/\s+/g, " ");
}
