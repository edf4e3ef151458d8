import type { LabHost } from "../lab/lab.ts";

const GET = `
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 7
printf 'GET / HTTP/1.0\\r\\nHost: mesh\\r\\n\\r\\n' >&3
timeout 6 cat <&3
`;

/** Body of a GET through the host's local proxy, or what it said instead of 200. Lab hosts have no curl. */
export async function getThroughProxy(host: LabHost, port: number): Promise<string> {
  const { code, stdout } = await host.exec(`bash -s -- ${port} <<'SCRIPT'\n${GET}\nSCRIPT`);
  if (code !== 0) return `exit code ${code}`;
  const [head, body] = stdout.split("\r\n\r\n");
  return head?.startsWith("HTTP/1.0 200") || head?.startsWith("HTTP/1.1 200")
    ? (body ?? "").trim()
    : (head ?? "");
}

/** Bodies of several requests in a row, counted. */
export async function countAnswers(
  host: LabHost,
  port: number,
  requests: number,
): Promise<Map<string, number>> {
  const script = `for i in $(seq ${requests}); do bash -s -- ${port} <<'SCRIPT' | tail -n 1\n${GET}\nSCRIPT\ndone`;
  const { stdout } = await host.exec(script, { timeoutMs: 120_000 });
  const counts = new Map<string, number>();
  for (const line of stdout.split("\n").filter(Boolean)) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
