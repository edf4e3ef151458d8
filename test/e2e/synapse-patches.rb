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
puts JSON.generate(names: names, kept: kept, picked: picked)
