import { expect, it } from "vitest";
import { compareHaproxyConfig, parseHaproxyConfig, renderHaproxyConfig } from "../../src/haproxy/config.ts";
import { mendedHaproxyConfig } from "../../src/haproxy/mended-config.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../src/haproxy/settings.ts";
import { mesh, service } from "./mesh.ts";

const settings = haproxySettings(haproxyParameters.parse({ maxconn: 9000 }), mesh([service()]));
const rendered = renderHaproxyConfig(settings, "meshctl");

function mended(text: string): string {
  const config = parseHaproxyConfig(text);
  return mendedHaproxyConfig(text, config, compareHaproxyConfig(config, settings));
}

it("a file that means what is wanted is left as it is", () => {
  const synapses = rendered.replaceAll("    ", "\t");
  expect(mended(synapses)).toBe(synapses);
});

it.each([
  ["another value", rendered.replace("maxconn 9000", "maxconn 12")],
  ["a line too much", rendered.replace("    maxconn 9000", "    maxconn 9000\n    nbthread 1")],
  ["a section too much", `${rendered}listen more\n    bind 127.0.0.1:7777\n    mode tcp\n`],
])("%s is undone where it stands", (_, text) => {
  expect(mended(text)).toBe(rendered);
});

it("a line too few is put under its section's title", () => {
  const text = mended(rendered.replace("    balance roundrobin\n", ""));
  expect(text).toContain("backend user-api\n    balance roundrobin\n");
  expect(compareHaproxyConfig(parseHaproxyConfig(text), settings)).toEqual([]);
});
