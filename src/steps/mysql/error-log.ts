/** A line of either server's error log without its time and thread. */
export function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\d[T ][\d:.]+Z? +\d+ /, "");
}
