import type { HaproxySettings } from "./settings.ts";

/** What HAProxy 1.5 does not know, and the version that does (https://docs.haproxy.org, "since" of each directive). */
const NEWER: readonly (readonly [line: RegExp, version: string])[] = [
  [
    /^(http-request return|http-after-response|http-error\b|errorfiles|http-check (send|connect|set-var|comment))\b/,
    "2.2",
  ],
  [/^option http-use-htx|^http-request (replace-uri|do-resolve)|^retry-on\b/, "2.0"],
  [/^(strict-limits|set-dumpable)\b/, "2.0"],
  [/^log (stdout|stderr|fd@)/, "1.9"],
  [/^(hard-stop-after|nbthread|http-(request|response) cache-(use|store))\b/, "1.8"],
  [/^(http-reuse|lua-load|email-alert|log-format-sd)\b|\bresolvers\b|"|'/, "1.6"],
];

const NEWER_SECTIONS: Readonly<Record<string, string>> = {
  "http-errors": "2.2",
  ring: "2.2",
  cache: "1.8",
  resolvers: "1.6",
  mailers: "1.6",
};

/** The newest thing that the settings ask for beside `retry_on`, and the version that knows it; undefined for 1.5. */
export function newestNeed(
  settings: HaproxySettings,
): { readonly version: string; readonly what: string } | undefined {
  const { global, defaults, sections, services } = settings;
  const lines = [
    ...global,
    ...defaults,
    ...sections.flatMap((section) => section.lines),
    ...services.flatMap(({ frontend, backend, serverOptions }) => [...frontend, ...backend, serverOptions]),
  ];
  const needs = [
    ...lines.flatMap((line) => {
      const found = NEWER.find(([pattern]) => pattern.test(line));
      return found === undefined ? [] : [{ version: found[1], what: `the line "${line}"` }];
    }),
    ...sections.flatMap(({ title }) => {
      const version = NEWER_SECTIONS[title.split(" ")[0]!];
      return version === undefined ? [] : [{ version, what: `the section "${title}"` }];
    }),
  ].filter(({ what }) => !what.startsWith('the line "retry-on'));
  return needs.sort((one, other) => (one.version < other.version ? 1 : -1))[0];
}
