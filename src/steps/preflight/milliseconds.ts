/** Two digits are as much as such a measurement tells: "0.31 ms", "7.4 ms", "112 ms". */
export function showMilliseconds(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}
