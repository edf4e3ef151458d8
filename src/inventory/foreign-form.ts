import { isPlainMap } from "../plain-map.ts";
import { IMPORT, TERRAFORM } from "./foreign-text.ts";
import { valueAt } from "./section.ts";

/** Keys at the top that say whose file it is: everything else in it would be an echo of that. */
const FORMS: Readonly<Record<string, string>> = {
  plays: "this is a playbook: `-p FILE` names it, and `-i FILE` an inventory",
  all: "this is Ansible's form: `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
  apiVersion: "this is the form of Kubernetes and k0sctl: `meshctl init` writes an inventory",
  services: "this is Compose's form, and meshctl starts no containers: `meshctl init` writes an inventory",
};

const KAMAL = "this is kamal's form, and meshctl starts no containers: `meshctl init` writes an inventory";
const TIUP = "this is the form of tiup: `meshctl init` writes an inventory";

/** Keys that show by what stands beside them. */
const BESIDE: readonly (readonly [key: string, beside: readonly string[], words: string])[] = [
  ["service", ["image", "servers", "registry"], KAMAL],
  ["global", ["pd_servers", "tikv_servers", "tidb_servers", "server_configs"], TIUP],
  ["instance_id", ["services", "service_conf_dir"], `this is Nerve's form: ${IMPORT}`],
  ["services", ["haproxy", "service_conf_dir"], `this is Synapse's form: ${IMPORT}`],
  ["terraform_version", ["values", "outputs", "resources"], TERRAFORM],
  ["resource", [], TERRAFORM],
];

/** The key that shows that a file without hosts is no inventory, and what the file is. */
export function foreignForm(
  keys: readonly string[],
  value: unknown,
): { readonly key: string; readonly words: string } | undefined {
  if (keys.includes("hosts")) return undefined;
  for (const [key, beside, words] of BESIDE) {
    const isShown = beside.length === 0 || beside.some((name) => keys.includes(name));
    if (keys.includes(key) && isShown) return { key, words };
  }
  const [first] = keys;
  if (first !== undefined && keys.every((name) => isAnsibleGroup(valueAt(value, [name]))))
    return { key: first, words: FORMS.all! };
  const key = keys.find((name) =>
    name === "services" ? startsContainers(valueAt(value, [name])) : Object.hasOwn(FORMS, name),
  );
  return key === undefined ? undefined : { key, words: FORMS[key]! };
}

/** A group at the top, with its hosts or its groups in a map. */
function isAnsibleGroup(group: unknown): boolean {
  return (
    isPlainMap(group) &&
    !Object.hasOwn(group, "version") &&
    ["hosts", "children"].some((key) => isPlainMap(group[key]))
  );
}

function startsContainers(services: unknown): boolean {
  return (
    isPlainMap(services) &&
    Object.values(services).some(
      (service) => isPlainMap(service) && ["image", "build"].some((key) => Object.hasOwn(service, key)),
    )
  );
}
