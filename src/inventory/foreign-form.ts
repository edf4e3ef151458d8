import { isPlainMap } from "../plain-map.ts";
import { valueAt } from "./section.ts";

/** Keys at the top that say whose file it is: everything else in it would be an echo of that. */
const FORMS: Readonly<Record<string, string>> = {
  plays: "this is a playbook: `-p FILE` names it, and `-i FILE` an inventory",
  all: "this is Ansible's form: `meshctl init prod.yaml --from-ansible FILE` makes an inventory of it",
  apiVersion: "this is the form of Kubernetes and k0sctl: `meshctl init` writes an inventory",
  services: "this is Compose's form, and meshctl starts no containers: `meshctl init` writes an inventory",
};

/** The key that shows that a file without hosts is no inventory, and what the file is. */
export function foreignForm(
  keys: readonly string[],
  value: unknown,
): { readonly key: string; readonly words: string } | undefined {
  if (keys.includes("hosts")) return undefined;
  const key = keys.find((name) =>
    name === "services" ? startsContainers(valueAt(value, [name])) : Object.hasOwn(FORMS, name),
  );
  return key === undefined ? undefined : { key, words: FORMS[key]! };
}

function startsContainers(services: unknown): boolean {
  return (
    isPlainMap(services) &&
    Object.values(services).some(
      (service) => isPlainMap(service) && ["image", "build"].some((key) => Object.hasOwn(service, key)),
    )
  );
}
