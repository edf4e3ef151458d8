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

def watcher(path: "/services/a", keeps_last: true)
  Synapse::ServiceWatcher::ZookeeperWatcher.new(
    {
      "name" => "user-api",
      "use_previous_backends" => keeps_last,
      "discovery" => { "method" => "zookeeper", "path" => path, "hosts" => ["127.0.0.1:1"] },
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
puts JSON.generate(names: names, kept: kept)
