import type { OwnService, RegistrarDesired } from "./desired.ts";

/**
 * Nerve's configuration, in the schema of 0.8.1 (https://github.com/airbnb/nerve/blob/v0.8.1/README.md#configuration).
 * It is read as YAML, of which JSON is a part.
 */
export function renderNerveConfig(desired: RegistrarDesired): string {
  const services = desired.services.map(
    (service) => [service.key, serviceSection(service, desired)] as const,
  );
  const config = { instance_id: desired.instance, services: Object.fromEntries(services) };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function serviceSection(
  { path, port, weight, options, labels, check }: OwnService,
  { address, members }: RegistrarDesired,
) {
  const timeout = check.timeoutMs / 1000;
  const limits = {
    timeout,
    rise: check.rise,
    fall: check.fall,
    // Nerve's own default is where the service is.
    ...(check.host === address ? {} : { host: check.host }),
    ...(check.port === port ? {} : { port: check.port }),
  };
  return {
    host: address,
    port,
    reporter_type: "zookeeper",
    zk_hosts: members,
    zk_path: path,
    check_interval: check.interMs / 1000,
    checks: [
      check.httpPath === undefined
        ? { type: "tcp", ...limits }
        : { type: "http", uri: check.httpPath, ...limits, open_timeout: timeout },
    ],
    // The first is Nerve's own word for it, which Synapse heeds only when told to; the second it always takes.
    ...(weight === undefined ? {} : { weight }),
    ...(options === "" ? {} : { haproxy_server_options: options }),
    ...(labels === undefined ? {} : { labels }),
  };
}
