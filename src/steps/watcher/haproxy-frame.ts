import { bindLine } from "../../haproxy/config.ts";
import { descriptionOf, type HaproxySettings } from "../../haproxy/settings.ts";

/**
 * Every line of what Synapse writes but the servers, in its order and without indentation. The installer takes a
 * candidate only when it adds nothing but servers to this.
 */
export function haproxyFrame(settings: HaproxySettings): string {
  const services = Object.values(servicesByName(settings)).flatMap((service) => [
    `frontend ${service.name}`,
    ...service.frontend,
    bindLine(service),
    `default_backend ${service.name}`,
    `backend ${service.name}`,
    ...service.backend,
    ...(service.panic === undefined ? [] : [`backend ${service.panic.name}`, ...service.panic.backend]),
  ]);
  const lines = [
    "global",
    `description ${descriptionOf(settings)}`,
    ...settings.global,
    "defaults",
    ...settings.defaults,
    ...settings.sections.flatMap(({ title, lines }) => [title, ...lines]),
    ...services,
  ];
  return `${lines.join("\n")}\n`;
}

/** As an object, whose order of keys is that of Synapse's configuration too: a name like "8080" comes first. */
function servicesByName(settings: HaproxySettings): Record<string, HaproxySettings["services"][number]> {
  return Object.fromEntries(settings.services.map((service) => [service.name, service]));
}
