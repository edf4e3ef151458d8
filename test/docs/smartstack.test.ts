import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const doc = readFileSync(new URL("../../docs/smartstack.md", import.meta.url), "utf8");
const part = (from: string, to: string) => doc.slice(doc.indexOf(`\n## ${from}`), doc.indexOf(`\n## ${to}`));

/** Options that the README and the code of the released gems have, synapse 0.16.2 and nerve 0.8.1. */
const SYNAPSE =
  "method path hosts label_filters label_filter decode endpoint_name generator_config_path servers nameserver " +
  "image_name container_port check_interval tag_name tag_value aws_access_key_id aws_secret_access_key aws_region " +
  "marathon_api_url application_name port_index default_servers name host port haproxy_server_options " +
  "keep_default_servers use_previous_backends backend_port_override leader_election nginx disabled bind_address " +
  "bind_options server_port_override server_options frontend backend backend_name listen backend_order " +
  "shared_frontend cookie_value_method use_nerve_weights reload_command config_file_path do_writes do_reloads " +
  "do_socket socket_file_path global defaults extra_sections restart_interval restart_jitter state_file_path " +
  "state_file_ttl server_order_seed max_server_id file_output output_directory statsd sample_rate service_conf_dir";
const METHODS = "zookeeper base dns docker ec2tag marathon zookeeper_dns";
const NERVE =
  "instance_id heartbeat_path service_conf_dir host port reporter_type check_interval checks weight " +
  "haproxy_server_options labels zk_hosts zk_path etcd_host etcd_port etcd_path type name timeout rise fall module " +
  "uri ssl ssl_timeout read_timeout open_timeout headers expect username password";
const CHECKS = "http tcp rabbitmq base";

it.each([
  ["Synapse", part("Synapse: a service", "Nerve"), `${SYNAPSE} ${METHODS}`],
  ["Nerve", part("Nerve", "HAProxy"), `${NERVE} ${CHECKS}`],
])("says of every option of %s what becomes of it", (_, text, options) => {
  const words = new Set([...text.matchAll(/`([^`]*)`/g)].flatMap(([, code = ""]) => code.split(/[^\w]+/)));
  expect(options.split(" ").filter((option) => !words.has(option))).toEqual([]);
});
