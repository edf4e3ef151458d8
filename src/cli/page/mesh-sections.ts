import { showAge } from "../../quantity-text.ts";
import {
  isProxyWell,
  isWrong,
  type MeshStatus,
  type Problem,
  type ProxyStatus,
  type ServiceStatus,
  STATE_WORDS,
  STATES,
} from "../../status/mesh-status.ts";
import { type Html, html } from "./html.ts";
import { meshPicture } from "./mesh-picture.ts";
import { folded, type Section, table } from "./page.ts";

/** The mesh as a picture, and what is in it in words. Undefined where there is no mesh. */
export function meshSection(status: MeshStatus): Section | undefined {
  const picture = meshPicture(status);
  if (picture === undefined) return undefined;
  const body = html`${picture}${status.services.map(serviceDetails)}${proxiesDetails(status.proxies)}`;
  return { id: "mesh", title: "The mesh", body };
}

/** What is wrong with the mesh, each with the evidence and what to type next. */
export function problemItems(problems: readonly Problem[]): readonly Html[] {
  return problems.map(
    ({ hosts, what, evidence, next }) =>
      html`<li><span class="wrong">✗</span> ${hosts.length === 0 ? undefined : html`<strong>${hosts.join(", ")}</strong> · `}${what}
<small>${evidence}</small><small>Type next: <code>${next}</code></small></li>
`,
  );
}

function serviceDetails({ name, front, path, names, registered, leftOut, backends }: ServiceStatus): Html {
  const count =
    path === undefined
      ? names === undefined
        ? "servers of the inventory"
        : `servers by DNS: ${names.join(", ")}`
      : registered === undefined
        ? "the registrations cannot be read"
        : `${registered} registered in ${path}`;
  const rows = backends.map(({ name: backend, origin, on }) => [
    backend,
    origin,
    STATES.flatMap((state) => {
      const hosts = [...on].filter(([, each]) => each === state).map(([host]) => host);
      return hosts.length === 0
        ? []
        : [
            html`<div class="${isWrong(state) ? "wrong" : ""}">${STATE_WORDS[state]} on ${hosts.join(", ")}</div>`,
          ];
    }).reduce((all, each) => html`${all}${each}`, html``),
  ]);
  const isWell = backends.every(({ on }) => [...on.values()].every((state) => !isWrong(state)));
  const out = leftOut.map(({ node, because }) => html`<p class="note">! left out: ${node}: ${because}</p>`);
  return folded(
    html`${mark(isWell && registered !== 0)} <strong>${name}</strong> on ${front}, ${count}`,
    html`${table(["backend", "known by", "state"], rows)}${out}`,
    false,
  );
}

function proxiesDetails(proxies: readonly ProxyStatus[]): Html | undefined {
  if (proxies.length === 0) return undefined;
  const age = (is: string, seconds: number | undefined) =>
    seconds === undefined ? is : `${is}, since ${showAge(seconds)}`;
  const rows = proxies.map((proxy) => {
    const { host, unread, haproxy, watcher, counts } = proxy;
    return [
      html`${mark(isProxyWell(proxy))} ${host}`,
      unread ?? (haproxy === undefined ? "–" : age(haproxy.is, haproxy.ageSeconds)),
      watcher === undefined ? "–" : age(watcher.is, watcher.ageSeconds),
      watcher === undefined ? "–" : watcher.candidate,
      STATES.flatMap((state) => (counts[state] === 0 ? [] : [`${counts[state]} ${STATE_WORDS[state]}`])).join(
        ", ",
      ),
    ];
  });
  const well = proxies.filter(isProxyWell).length;
  return folded(
    html`${mark(well === proxies.length)} <strong>Proxies</strong>, ${well} of ${proxies.length} well`,
    table(["host", "HAProxy", "watcher", "last candidate", "servers"], rows),
    false,
  );
}

export function mark(isWell: boolean): Html {
  return isWell ? html`<span class="well">✓</span>` : html`<span class="wrong">✗</span>`;
}
