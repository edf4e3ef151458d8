import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { spelledOut } from "../../src/evidence/iptables.ts";
import { itemsOfListing, redirectsOf } from "../../src/haproxy/redirects.ts";
import { foreignDrops } from "../../src/steps/firewall/foreign.ts";
import { sourcesOf } from "../../src/steps/firewall/rules.ts";

// What `nft -t -j list ruleset` and `iptables-nft-save` of each release said of the same rules of `iptables`.
const RECORDED = `${import.meta.dirname}/iptables-nft`;
const sources = sourcesOf(["10.0.0.2", "10.0.0.3"]);

describe.each(readdirSync(RECORDED))("rules of iptables in nftables, as %s tells them", (file) => {
  const [listing = "", ...lines] = readFileSync(`${RECORDED}/${file}`, "utf8").split("\n");
  const save = lines.join("\n");
  const redirects = (text: string) =>
    redirectsOf(spelledOut(itemsOfListing(listing)!, text)!, "127.0.0.1", 8080);
  const drops = (port: number, iptables: string) =>
    foreignDrops({ kernel: { is: "read", table: undefined, ruleset: listing }, iptables }, port, sources);

  it("send a front end's connections elsewhere, which nft tells by a name at most", () => {
    const place = "table ip nat, chain OUTPUT";
    expect(redirects(save)).toEqual([{ place, how: "redirect", isSure: true }]);
  });

  it("shut members out, which nft does not tell", () => {
    const filter = "table ip filter, chain INPUT, drops ";
    const rest = "what no rule accepts, and none accepts port";
    expect(drops(3888, save)).toEqual({
      drops: [`${filter}${rest} 3888 from 10.0.0.2, 10.0.0.3`],
      unread: [],
    });
    expect(drops(2181, save).drops).toEqual([
      `${filter}port 2181 from 10.0.0.2`,
      `${filter}${rest} 2181 from 10.0.0.3`,
    ]);
    expect(drops(22, save)).toEqual({ drops: [], unread: [] });
  });

  it("are told as far as nft goes where a rule was added between the two, or a table is not iptables' alone", () => {
    const more = save.replace("-A OUTPUT", "-A OUTPUT -j RETURN\n-A OUTPUT");
    const native = "#ip listed\n# Table `nat' is incompatible, use 'nft' tool.\n";
    for (const text of ["", more, native]) {
      expect(redirects(text).every(({ isSure }) => !isSure)).toBe(true);
    }
    expect(drops(3888, native)).toEqual({ drops: [], unread: [] });
  });

  it("are not known where iptables-save failed, which matters to no rule of others", () => {
    const failed = "#ip failed\n";
    expect(spelledOut(itemsOfListing(listing)!, failed)).toBeUndefined();
    expect(drops(3888, failed)).toEqual({
      drops: [],
      unread: ["the rules of other tables could not be read: iptables-save failed"],
    });
    const native = itemsOfListing(listing.replace(/\{"xt": [^}]*?(?:null|\})\}/g, '{"counter": null}'))!;
    expect(spelledOut(native, failed)).toEqual(native);
    expect(spelledOut(itemsOfListing(listing)!, "#ip6 failed\n")).toEqual(itemsOfListing(listing));
  });
});
