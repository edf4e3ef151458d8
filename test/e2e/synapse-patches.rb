# Run on a lab host with the patches loaded: what they make of the data on standard input (a JSON array of texts), and
# of a service whose backends come and go. Prints JSON.
require "json"

class NoSynapse
  def available_generators
    {}
  end

  def reconfigure!
  end
end

def watcher(path: "/services/a", keeps_last: true, filters: nil, defaults: [], beside: false)
  Synapse::ServiceWatcher::ZookeeperWatcher.new(
    {
      "name" => "user-api",
      "use_previous_backends" => keeps_last,
      "default_servers" => defaults,
      "keep_default_servers" => beside,
      "discovery" => {
        "method" => "zookeeper", "path" => path, "hosts" => ["127.0.0.1:1"], "label_filters" => filters,
      }.compact,
    },
    NoSynapse.new,
  )
end

# What DNS says of each name: addresses, or why it says none.
$dns = {}
def DnsNames.addresses(name, _)
  told = $dns.fetch(name)
  told.is_a?(String) ? raise(DnsNames::NoAnswer, told) : told
end

class Counting < NoSynapse
  attr_reader :reloads

  def reconfigure!
    @reloads = reloads.to_i + 1
  end
end

def dns_watcher(synapse, nameserver: nil)
  servers = %w[a.example b.example].map { |host| { "host" => host, "port" => 9001 } }
  discovery = { "method" => "dns", "servers" => servers, "nameserver" => nameserver, "check_interval" => 1 }
  Synapse::ServiceWatcher::DnsWatcher.new(
    { "name" => "user-api", "use_previous_backends" => true, "default_servers" => [], "discovery" => discovery.compact },
    synapse,
  )
end

# What one look-up of all names makes of the backends.
def look(watcher)
  watcher.send(:configure_backends, watcher.send(:resolve_servers))
  hosts_of(watcher)
end

def hosts_of(watcher)
  watcher.backends.map { |backend| backend["host"] }.sort
end

$stderr.reopen(File::NULL)
names = JSON.parse($stdin.read).map do |data|
  host, port, name = watcher.send(:deserialize_service_instance, data)
  name.to_s.empty? ? "#{host}:#{port}" : "#{name}_#{host}:#{port}"
rescue StandardError
  nil
end

alpha = { "name" => "alpha", "host" => "10.0.0.2", "port" => 9001 }
canary = { "name" => "meshctl-probe", "host" => "10.0.0.2", "port" => 65_100 }
kept = {}
names_of = ->(of) { of.backends.map { |backend| backend["name"] } }
first = watcher
[["canary alone at first", [canary]], ["beside another", [alpha, canary]], ["alone at last", [canary]]].each do |what, backends|
  first.send(:set_backends, backends)
  kept[what] = names_of.call(first)
end
kept["started again"] = names_of.call(watcher)
kept["with another path"] = names_of.call(watcher(path: "/services/b"))
kept["told to serve none"] = names_of.call(watcher(keeps_last: false))
kept["told to keep the last again"] = names_of.call(watcher)

is_api = [{ "label" => "kind", "value" => "api", "condition" => "equals" }]
is_not_api = [{ "label" => "kind", "value" => "api", "condition" => "not-equals" }]
api = { "name" => "api", "host" => "10.0.0.3", "port" => 1, "labels" => { "kind" => "api" } }
others = [
  { "name" => "admin", "host" => "10.0.0.4", "port" => 2, "labels" => { "kind" => "admin" } },
  { "name" => "odd", "host" => "10.0.0.5", "port" => 3, "labels" => "kind" },
]
default = { "name" => "default", "host" => "10.0.0.6", "port" => 4 }
picked = {}
pick = lambda do |what, of, *lists|
  lists.each { |backends| of.send(:set_backends, backends) }
  picked[what] = names_of.call(of)
end
pick.call("by a label", watcher(filters: is_api), [api, *others])
pick.call("by its absence", watcher(filters: is_not_api), [api, *others])
pick.call("all", watcher, [api, *others])
pick.call("none of its own: default servers", watcher(filters: is_api, defaults: [default]), others)
pick.call("beside default servers", watcher(filters: is_api, defaults: [default], beside: true), [api, *others])
pick.call("none of its own any more: nothing", watcher(filters: is_api, keeps_last: false), [api, *others], others)
pick.call("none of its own any more: its last", watcher(filters: is_api), [api, *others], others)
pick.call("started again", watcher(filters: is_api))
pick.call("started again to pick otherwise", watcher(filters: is_not_api))

told = {}
counting = Counting.new
by_dns = dns_watcher(counting)
told["nothing known yet"] = by_dns.backends
$dns = { "a.example" => "no answer", "b.example" => "no answer" }
told["no answer at first"] = look(by_dns)
$dns["a.example"] = %w[10.0.0.1 10.0.0.2]
told["one of two names"] = look(by_dns)
$dns["b.example"] = %w[10.0.0.2 10.0.0.3]
told["both names, a server of both once"] = look(by_dns)
reloads = counting.reloads
50.times do |count|
  $dns.transform_values! { |addresses| addresses.rotate(count) }
  look(by_dns)
end
told["told anew by rotating answers"] = counting.reloads - reloads
$dns["b.example"] = "no answer"
told["one name fails"] = look(by_dns)
$dns["a.example"] = %w[10.0.0.1]
told["the other loses an address"] = look(by_dns)
$dns["a.example"] = %w[127.0.0.1]
told["none may be a server"] = look(by_dns)
$dns["a.example"] = %w[127.0.0.1 10.0.0.4]
told["one may"] = look(by_dns)
$dns["a.example"] = "no answer"
told["started again while DNS is dead"] = hosts_of(dns_watcher(counting))
told["started again, and asked"] = look(dns_watcher(counting))
told["told by another name server"] = dns_watcher(counting, nameserver: "10.0.0.53").backends
by_dns.start
told["alive, whatever resolves"] = by_dns.ping?
by_dns.stop
told["remembered by no other method"] = watcher.backends
puts JSON.generate(names: names, kept: kept, picked: picked, told: told)
