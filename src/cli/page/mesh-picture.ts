import {
  type BackendStatus,
  isProxyWell,
  isWrong,
  type MeshStatus,
  type ProxyStatus,
  STATE_WORDS,
  STATES,
} from "../../status/mesh-status.ts";
import { shownText } from "../shown.ts";
import { type Html, html } from "./html.ts";

/** "unknown" is what nobody could read. */
type Standing = "well" | "wrong" | "unknown" | "idle";

const MARKS: Readonly<Record<Standing, string>> = { well: "✓", wrong: "✗", unknown: "?", idle: "–" };

interface Node {
  readonly label: string;
  readonly detail: string;
  readonly standing: Standing;
  /** Whether it is joined with ZooKeeper: a backend by its registration, a proxy by its watcher; undefined where it need not be. */
  readonly joined: boolean | undefined;
}

interface Column {
  readonly title: string;
  readonly nodes: readonly Node[];
  /** How many are not drawn; all of them are well. */
  readonly more: number;
}

/** Who is drawn of many: those that are not well first. */
const MOST_NODES = 12;

/** The mesh as two pictures, of which a page shows the one that fits its width; undefined where there is nothing to draw. */
export function meshPicture(status: MeshStatus): Html | undefined {
  const [backends, members, proxies] = columnsOf(status) as [Column, Column, Column];
  const drawn = [backends, members, proxies].filter(({ nodes }) => nodes.length > 0);
  if (drawn.length === 0) return undefined;
  const words = drawn.map(columnWords).join(" ");
  return html`<div class="picture">${wide(backends, members, proxies, words)}${narrow(drawn, words)}</div>`;
}

function columnsOf({ services, ensemble, proxies }: MeshStatus): Column[] {
  const many = services.length > 1;
  const backends = services.flatMap(({ name, backends: all }) =>
    all.map((backend) => backendNode(backend, many ? name : undefined)),
  );
  const members = (ensemble?.members ?? []).map(({ host, role, serves }): Node => {
    const isUnread = role === "unreachable" || role === "unread";
    return {
      label: host,
      detail: role,
      standing: serves ? "well" : isUnread ? "unknown" : "wrong",
      joined: true,
    };
  });
  const quorum = ensemble === undefined ? "" : ensemble.hasQuorum ? ", quorum" : ", no quorum";
  return [
    columnOf(`Backends: ${backends.length}`, backends),
    columnOf(`ZooKeeper: ${ensemble?.serving ?? 0} of ${members.length} serve${quorum}`, members),
    columnOf(`Proxies: ${proxies.length}`, proxies.map(proxyNode)),
  ];
}

function columnOf(title: string, all: readonly Node[]): Column {
  const isWell = ({ standing }: Node) => standing === "well";
  if (all.length <= MOST_NODES) return { title, nodes: all, more: 0 };
  const open = all.filter((node) => !isWell(node));
  const nodes = [...open, ...all.filter(isWell).slice(0, Math.max(0, MOST_NODES - open.length))];
  return { title, nodes, more: all.length - nodes.length };
}

function backendNode({ name, origin, on }: BackendStatus, service: string | undefined): Node {
  const hasWrong = [...on.values()].some(isWrong);
  const states = STATES.flatMap((state) => {
    const hosts = [...on].filter(([, each]) => each === state).map(([host]) => host);
    if (hosts.length === 0 || (hasWrong && !isWrong(state))) return [];
    const where = hosts.length === on.size ? "all" : hosts.length === 1 ? hosts[0] : hosts.length;
    return [`${STATE_WORDS[state]} on ${where}`];
  });
  const words = states.join(", ");
  const [, given = name, address = ""] = /^(.+)_([^_]+)$/.exec(name) ?? [];
  const isIdle = [...on.values()].every((state) => state === "weightless");
  return {
    label: [service, given].filter((part) => part !== undefined).join(" · "),
    detail: [address, words === "" ? "no proxy tells of it" : words]
      .filter((part) => part !== "")
      .join(" · "),
    standing: on.size === 0 ? "unknown" : hasWrong ? "wrong" : isIdle ? "idle" : "well",
    joined: origin === "registered",
  };
}

function proxyNode(proxy: ProxyStatus): Node {
  const { host, unread, haproxy, watcher, counts } = proxy;
  const servers = STATES.filter((state) => counts[state] > 0)
    .reverse()
    .map((state) => `${counts[state]} ${STATE_WORDS[state]}`)
    .join(", ");
  const trouble = [
    haproxy !== undefined && haproxy.is !== "as on disk" ? `HAProxy ${haproxy.is}` : "",
    watcher !== undefined && watcher.is !== "as on disk" ? `watcher ${watcher.is}` : "",
  ].find((words) => words !== "");
  const isFollowing = (watcher?.sessions?.length ?? 0) > 0;
  return {
    label: host,
    detail: unread === undefined ? (trouble ?? (servers === "" ? "no servers" : servers)) : "not read",
    standing: unread !== undefined ? "unknown" : isProxyWell(proxy) ? "well" : "wrong",
    joined: watcher !== undefined && watcher.sessions === undefined ? undefined : isFollowing,
  };
}

/** For who hears the page instead of seeing it. */
function columnWords({ title, nodes, more }: Column): string {
  const said = nodes.map(({ label, detail, standing }) => `${label} (${standing}: ${detail})`);
  return `${title}: ${[...said, ...(more > 0 ? [`${more} more, all well`] : [])].join("; ")}.`;
}

const BOX = { width: 270, height: 46, gap: 10 } as const;
const TOP = 34;
const CHARACTERS = { label: 28, detail: 36 } as const;

const heightOf = ({ nodes, more }: Column) =>
  nodes.length * (BOX.height + BOX.gap) + (more > 0 ? BOX.height / 2 : 0);

/** Three columns: backends register with ZooKeeper, proxies follow it, and requests go from these to those. */
function wide(backends: Column, members: Column, proxies: Column, words: string): Html {
  const [left, middle, right] = [0, 345, 690];
  const height = TOP + Math.max(...[backends, members, proxies].map(heightOf));
  const hasBoth = backends.nodes.length > 0 && proxies.nodes.length > 0;
  const whole = height + (hasBoth ? 44 : 8);
  const centre = TOP + heightOf(members) / 2 - BOX.gap / 2;
  const edges =
    members.nodes.length === 0
      ? []
      : [
          ...backends.nodes.flatMap((node, at) =>
            node.joined ? [edge(left + BOX.width, middleOf(at), middle - 8, centre, "well")] : [],
          ),
          ...proxies.nodes.flatMap(({ joined }, at) =>
            joined === undefined
              ? []
              : [edge(middle + BOX.width + 8, centre, right, middleOf(at), joined ? "well" : "wrong")],
          ),
        ];
  const requests = hasBoth
    ? html`<path class="edge requests" marker-end="url(#tip)" d="M ${right + BOX.width / 2} ${height} v 22 H ${left + BOX.width / 2} v -20"/>
<text class="said" text-anchor="middle" x="${480}" y="${height + 38}">requests</text>`
    : undefined;
  const frame =
    members.nodes.length === 0
      ? undefined
      : html`<rect class="frame" x="${middle - 8}" y="${TOP - 8}" width="${BOX.width + 16}" height="${heightOf(members) - BOX.gap + 16}" rx="10"/>`;
  const columns = [
    [backends, left],
    [members, middle],
    [proxies, right],
  ] as const;
  return html`<svg class="wide" viewBox="0 0 960 ${whole}" role="img" aria-label="${words}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip" d="M 0 0 L 8 4 L 0 8 z"/></marker></defs>
${edges}${requests}${frame}${columns.map(([column, x]) => (column.nodes.length === 0 ? undefined : columnAt(column, x, BOX.width)))}</svg>`;
}

/** One below the other, as a telephone is held. */
function narrow(columns: readonly Column[], words: string): Html {
  let y = 0;
  const drawn = columns.map((column, at) => {
    const arrow =
      at === 0
        ? undefined
        : html`<path class="edge requests" d="M 180 ${y - 26} v 20"/><text class="mark" text-anchor="middle" x="180" y="${y - 2}">▾</text>`;
    const part = html`${arrow}<g transform="translate(0 ${y})">${columnAt(column, 0, 360)}</g>`;
    y += TOP + heightOf(column) + 34;
    return part;
  });
  return html`<svg class="narrow" viewBox="0 0 360 ${y - 34}" role="img" aria-label="${words}">${drawn}</svg>`;
}

function columnAt({ title, nodes, more }: Column, x: number, width: number): Html {
  const rest =
    more > 0
      ? html`<text class="said" x="${x + 4}" y="${TOP + nodes.length * (BOX.height + BOX.gap) + 14}">and ${more} more, all well</text>`
      : undefined;
  return html`<text class="title" x="${x}" y="16">${title}</text>${nodes.map((node, at) => nodeAt(node, x, topOf(at), width))}${rest}`;
}

const topOf = (at: number) => TOP + at * (BOX.height + BOX.gap);
const middleOf = (at: number) => topOf(at) + BOX.height / 2;

function nodeAt({ label, detail, standing }: Node, x: number, y: number, width: number): Html {
  return html`<g class="node ${standing}"><title>${label}: ${detail}</title><rect x="${x + 1}" y="${y}" width="${width - 2}" height="${BOX.height}" rx="7"/><text class="mark" x="${x + 12}" y="${y + 28}">${MARKS[standing]}</text><text x="${x + 34}" y="${y + 19}">${cut(label, CHARACTERS.label)}</text><text class="said" x="${x + 34}" y="${y + 36}">${cut(detail, CHARACTERS.detail)}</text></g>
`;
}

function edge(fromX: number, fromY: number, toX: number, toY: number, standing: Standing): Html {
  const bend = (toX - fromX) / 2;
  return html`<path class="edge ${standing}" marker-end="url(#tip)" d="M ${fromX} ${fromY} C ${fromX + bend} ${fromY}, ${toX - bend} ${toY}, ${toX} ${toY}"/>`;
}

function cut(text: string, most: number): string {
  // Masked first: half a secret would not be recognised.
  const characters = [...shownText(text)];
  return characters.length <= most ? characters.join("") : `${characters.slice(0, most - 1).join("")}…`;
}
