/** Bytes as a person compares them: whole MiB, from 10 GiB on GiB with one decimal. */
export function showBytes(bytes: number): string {
  if (bytes < 10 * 2 ** 30) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return `${Number((bytes / 2 ** 30).toFixed(1))} GiB`;
}
