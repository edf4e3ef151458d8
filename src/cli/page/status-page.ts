import type { Look } from "../lookout.ts";
import { html } from "./html.ts";
import { mark, meshSection, problemItems } from "./mesh-sections.ts";
import { folded, pageText } from "./page.ts";

/** One look at the mesh as a page. */
export function statusPage(
  { status, hosts, exitCode, durationMs }: Look,
  {
    files,
    version,
    madeAt,
  }: { readonly files: readonly string[]; readonly version: string; readonly madeAt: Date },
): string {
  const { problems } = status;
  const count = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  const details = hosts.map(({ host, is, because }) => {
    const own = problems.filter((problem) => problem.hosts.includes(host));
    const isWell = is === "as wanted";
    return folded(
      html`${mark(isWell)} <strong>${host}</strong> ${is}`,
      html`${own.length === 0 ? html`<p>${because ?? "Nothing is wrong with its part of the mesh."}</p>` : html`<ul>${problemItems(own)}</ul>`}`,
      false,
    );
  });
  return pageText({
    title: "meshctl status",
    standing:
      problems.length === 0 && exitCode === 0
        ? { is: "well", words: "all is well" }
        : { is: "wrong", words: count },
    facts: [
      ["made", `${madeAt.toISOString().slice(0, 19).replace("T", " ")} UTC`],
      ["files", files.join(", ")],
      ["exit code", `${exitCode}, after ${(durationMs / 1000).toFixed(1)} s`],
      ["meshctl", version],
    ],
    sections: [
      problems.length === 0
        ? undefined
        : { id: "wrong", title: "What is wrong", body: html`<ul>${problemItems(problems)}</ul>` },
      meshSection(status),
      { id: "hosts", title: "Hosts", body: html`${details}` },
    ],
  });
}
