import { parseHaproxyConfig, renderHaproxyConfig } from "../haproxy/config.ts";
import { haproxyParameters } from "../haproxy/parameters.ts";
import { haproxySettings } from "../haproxy/settings.ts";
import { toService } from "../inventory/read-mesh.ts";
import { serviceEntry } from "../inventory/schema.ts";
import { differencesOf } from "./differences.ts";
import { type LocalProxy, proxiesOf } from "./proxies.ts";
import { type Entry, REGISTERED } from "./service.ts";

/** In what HAProxy, as meshctl would write it, means something else than the file; what is wrong where it cannot. */
export function compareProblems(
  was: LocalProxy,
  name: string,
  entry: Entry,
  parameters: Entry,
): readonly string[] {
  const service = serviceEntry.safeParse(entry);
  if (!service.success)
    return service.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  const all = haproxyParameters.safeParse(parameters);
  if (!all.success)
    return all.error.issues.map(({ path, message }) => `haproxy.${path.join(".")}: ${message}`);
  const settings = haproxySettings(all.data, {
    ensemble: [],
    zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
    proxies: [],
    networks: [],
    services: [toService(name, service.data, { failFast: false, panicPercent: 0 })],
  });
  const [only] = settings.services;
  const stand = only!.discovered ? `\n    server registered ${REGISTERED}:1 ${only!.serverOptions}` : "";
  const rendered = parseHaproxyConfig(`${renderHaproxyConfig(settings, "x").trimEnd()}${stand}\n`);
  const is = proxiesOf(rendered).proxies.find((proxy) => proxy.name === name);
  return is === undefined ? ["it is not there"] : differencesOf(was, is);
}
