import type { Discovery } from "../../contract/mesh.ts";
import { ADMIN_SOCKET, descriptionOf } from "../../haproxy/settings.ts";
import type { WatcherDesired } from "./desired.ts";
import { STATE_DIRECTORY } from "./paths.ts";

/**
 * Synapse's configuration, in the schema of 0.16.2
 * (https://github.com/airbnb/synapse/blob/v0.16.2/README.md#configuration).
 * It is read as ERB, then as YAML, of which JSON is a part.
 */
export function renderSynapseConfig(desired: WatcherDesired): string {
  const config = { services: servicesSection(desired), haproxy: haproxySection(desired) };
  // "<%" would be run as Ruby.
  return `${JSON.stringify(config, null, 2).replaceAll("<", "\\u003c")}\n`;
}

function servicesSection({ services, settings, members, whenEmpty }: WatcherDesired) {
  return Object.fromEntries(
    services.map((service) => {
      const { bind, port, bindOptions, frontend, backend, serverOptions, panic } = settings.services.find(
        ({ name }) => name === service.name,
      )!;
      const { discovery, ...more } = discoverySection(service.discovery, members, whenEmpty);
      const section = {
        discovery,
        default_servers: service.servers.map(({ name, host, port, options }) => ({
          name,
          host,
          port,
          ...(options === undefined ? {} : { haproxy_server_options: options }),
        })),
        ...more,
        haproxy: {
          port,
          bind_address: bind,
          ...(bindOptions === undefined ? {} : { bind_options: bindOptions }),
          // Synapse fills the options in with Ruby's "%".
          ...(serverOptions === "" ? {} : { server_options: serverOptions.replaceAll("%", "%%") }),
          frontend,
          backend,
          // synapse-patches.rb writes a second back end of it.
          ...(panic === undefined ? {} : { panic: panic.backend }),
          // Shuffled by a seed of its own at every start otherwise, and every start would change haproxy.cfg.
          backend_order: "asc",
        },
      };
      return [service.name, section];
    }),
  );
}

/** Where Synapse looks for the servers, and what it does where there are none. */
function discoverySection(
  discovery: Discovery,
  members: readonly string[],
  whenEmpty: WatcherDesired["whenEmpty"],
) {
  const keepsLast = (own?: WatcherDesired["whenEmpty"]) => ({
    use_previous_backends: (own ?? whenEmpty) === "keep_last",
  });
  switch (discovery.by) {
    case "inventory":
      return { discovery: { method: "base" }, ...keepsLast() };
    case "dns": {
      const { names, nameserver, intervalMs } = discovery;
      return {
        discovery: {
          method: "dns",
          servers: names,
          ...(nameserver === undefined ? {} : { nameserver }),
          check_interval: intervalMs / 1000,
        },
        use_previous_backends: true,
      };
    }
    case "zookeeper":
      return {
        discovery: {
          method: "zookeeper",
          path: discovery.path,
          hosts: members,
          // synapse-patches.rb picks by them before Synapse counts what there is.
          ...(discovery.labels === undefined ? {} : { label_filters: discovery.labels }),
          // Else the parent node's data replaces the section below, without its defaults, and Synapse dies of it.
          generator_config_path: "disabled",
        },
        ...(discovery.keepsServers ? { keep_default_servers: true } : {}),
        ...keepsLast(discovery.whenEmpty),
      };
  }
}

function haproxySection({ settings }: WatcherDesired) {
  return {
    global: [`description ${descriptionOf(settings)}`, ...settings.global],
    defaults: settings.defaults,
    ...(settings.sections.length === 0
      ? {}
      : { extra_sections: Object.fromEntries(settings.sections.map(({ title, lines }) => [title, lines])) }),
    do_writes: true,
    do_socket: true,
    do_reloads: true,
    // A candidate: only the installer writes haproxy.cfg.
    config_file_path: `${STATE_DIRECTORY}/haproxy.cfg`,
    socket_file_path: ADMIN_SOCKET,
    // Returns at once: Synapse discovers nothing while it waits.
    reload_command: `touch ${STATE_DIRECTORY}/reload-requested`,
    restart_interval: 2,
    restart_jitter: 0,
    // Without it every change of a server is a reload.
    state_file_path: `${STATE_DIRECTORY}/state.json`,
  };
}
