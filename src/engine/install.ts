import type { Network } from "../contract/inventory-view.ts";
import { scriptText } from "../script-text.ts";
import type { Block } from "./script-block.ts";

const INSTALL = new URL("./commands/install.sh", import.meta.url);

/** The script that installs packages behind the network's proxy, without starting their services. */
export function installBlock(packages: readonly string[], network: Network): Block {
  const input = `${network.proxy?.reveal() ?? ""}\n${network.caCertificates ?? ""}`;
  return {
    name: `install ${packages.join(" ")}`,
    text: scriptText(INSTALL),
    args: packages,
    input: Buffer.from(input),
    timeoutMs: 900_000,
    tells: true,
  };
}
