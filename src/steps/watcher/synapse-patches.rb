# Loaded before Synapse: what its last release lacks to run by itself for years.
require "delegate"
require "fileutils"
require "json"
require "socket"
require "synapse"
require "synapse/config_generator/haproxy"
require "synapse/service_watcher/dns"
require "synapse/service_watcher/zookeeper"
require_relative "backend-policy"
require_relative "dns-names"

# With `use_previous_backends` Synapse goes on with the last backends of a service whose path became empty, but
# remembers them in memory only: restarted then, it would disable every server. This writes them down when they
# change, and lets a new Synapse begin with them. What `meshctl probe` registers for a moment is nobody's last backend.
module KeepLast
  FILE = ENV.fetch("MESHCTL_LAST_BACKENDS")
  CANARY = "meshctl-probe"
  LOCK = Mutex.new

  # Service → the path it had and the backends that were there.
  def self.read
    known = JSON.parse(File.read(FILE))
    known.is_a?(Hash) ? known : {}
  rescue Errno::ENOENT, JSON::ParserError
    {}
  end

  def self.change
    LOCK.synchronize do
      known = read
      next if yield(known) == :as_it_was
      # A power cut must leave the old file or the new one.
      File.open("#{FILE}.tmp", "w") do |file|
        file.write(JSON.generate(known))
        file.fsync
      end
      FileUtils.mv("#{FILE}.tmp", FILE)
    end
  end

  def self.without_canaries(backends)
    backends.reject { |backend| backend["name"] == CANARY }
  end

  def initialize(opts = {}, synapse)
    super
    # What DNS said last is FollowNames' to remember.
    return if @discovery["method"] == "dns"
    return KeepLast.change { |known| known.delete(@name) || :as_it_was } unless keeps_last?
    last = KeepLast.read[@name]
    return unless last.is_a?(Hash) && last.values_at("path", "labels") == @discovery.values_at("path", "label_filters")
    @backends = KeepLast.without_canaries(Policy.allowed(@name, last["backends"]))
  end

  private

  def update_backends(new_backends)
    return super unless @discovery["method"] == "zookeeper"
    # Alone, a canary would take the place of all that is served when nothing is registered.
    new_backends = [] if KeepLast.without_canaries(new_backends).empty?
    updated = super(new_backends)
    return updated unless keeps_last?
    if new_backends.empty?
      last = KeepLast.without_canaries(@backends)
      updated = last.size != @backends.size
      @backends = last
    end
    write_down if updated
    updated
  end

  def write_down
    backends = KeepLast.without_canaries(@backends)
    labels = @discovery.slice("label_filters").transform_keys { "labels" }
    KeepLast.change { |known| known[@name] = { "path" => @discovery["path"], **labels, "backends" => backends } }
  end

  def keeps_last?
    @use_previous_backends && @default_servers.empty? && @discovery["method"] == "zookeeper"
  end
end

# ZooKeeper may be anybody's to write to. What a backend says of itself is data: nothing but what the policy allows
# reaches HAProxy's configuration, neither from a child nor from what Synapse remembers of one.
module Policy
  RULES = BackendPolicy.new(ENV.fetch("MESHCTL_BACKEND_POLICY", "/etc/meshctl/backend-policy.json"))

  # Raises ArgumentError for a backend that is to be left out.
  def self.check(service, backend)
    host, port, name, options = backend.values_at("host", "port", "name", "haproxy_server_options")
    raise ArgumentError, "host #{host.inspect}" unless host.is_a?(String)
    unless (port.is_a?(Integer) || port.is_a?(String)) && /\A[1-9][0-9]{0,4}\z/.match?(port.to_s) && port.to_i < 65_536
      raise ArgumentError, "port #{port.inspect}"
    end
    raise ArgumentError, "name #{name.inspect}" unless name.nil? || name.is_a?(String)
    RULES.check(service, name, host, port, options.is_a?(String) ? options : nil)
  rescue BackendPolicy::Refused => e
    raise ArgumentError, e.message
  end

  # Those that are allowed today, of what was written down by a Synapse of before.
  def self.allowed(service, backends)
    return [] unless backends.is_a?(Array)
    backends.select { |backend| backend.is_a?(Hash) && allowed?(service, backend) }
  end

  def self.allowed?(service, backend)
    options = backend["haproxy_server_options"]
    # Written down as Ruby's "%" wants them.
    check(service, backend.merge("haproxy_server_options" => options.is_a?(String) ? options.gsub("%%", "%") : nil))
    true
  rescue ArgumentError
    false
  end
end

# Synapse skips a child whose data is no JSON or has no host and port, and dies of much else, again at every start and
# with it the discovery of every service. What the policy leaves out is skipped with the same line in the log.
module RefuseUnusable
  private

  def deserialize_service_instance(data)
    host, port, name, weight, options, labels = super
    options = nil unless options.is_a?(String)
    Policy.check(@name, { "host" => host, "port" => port, "name" => name, "haproxy_server_options" => options })
    # Synapse fills the options in with Ruby's "%".
    [host, port, name, weight.is_a?(Integer) ? weight : nil, options&.gsub("%", "%%"), labels]
  end

  # Of two that HAProxy would know by one name Synapse takes the one that ZooKeeper lists last, which is either.
  def set_backends(new_backends, *config)
    by_name = PickByLabels.picked(@label_filters, new_backends).group_by { |backend| BackendPolicy.server_name(*backend.values_at("name", "host", "port")) }
    super(by_name.values.map { |same| same.min_by { |each| each["haproxy_server_options"].to_s } }, *config)
  end
end

# Synapse picks by labels only what it writes: a service of whose own backends none is left would keep others' as its last
# ones, and default servers, which have no labels, would never stand in. Here what is not picked is no backend at all.
module PickByLabels
  def self.picked(rules, backends)
    of_service = backends.select do |backend|
      labels = backend["labels"].is_a?(Hash) ? backend["labels"] : {}
      rules.all? { |rule| (labels[rule["label"]] == rule["value"]) == (rule["condition"] == "equals") }
    end
    of_service.map { |backend| backend.merge("labels" => nil) }
  end

  private

  def backends_filtered_by_labels
    @backends
  end
end

# Synapse asks every second whether airbnb.com resolves and ends when it does not; waits a minute for a name server that is
# dead; and takes no answer for no address. Here a name that is not told keeps the addresses that it had last, also those
# of a Synapse of before, and the log says why.
module FollowNames
  def initialize(opts = {}, synapse)
    super
    @told, @untold = {}, {}
    last = KeepLast.read[@name]
    return unless last.is_a?(Hash) && last["addresses"].is_a?(Hash) && last["nameserver"] == @discovery["nameserver"]
    @told = last["addresses"].select { |host, addresses| host?(host) && addresses.is_a?(Array) }
    @backends = backends_of(discovery_servers.map { |server| [server, allowed(server, @told[server["host"]] || [])] })
  end

  def ping?
    @watcher.alive?
  end

  private

  # Each server with the addresses that it has now.
  def resolve_servers
    asked = discovery_servers.map { |server| server["host"] }.uniq.map { |host| [host, Thread.new { ask(host) }] }
    before = @told.dup
    asked.each { |host, answer| take(host, *answer.value) }
    KeepLast.change { |known| known[@name] = { "nameserver" => @nameserver, "addresses" => @told } } if @told != before
    discovery_servers.map { |server| [server, allowed(server, @told[server["host"]] || [])] }
  end

  def ask(host)
    [DnsNames.addresses(host, @nameserver), nil]
  rescue StandardError => e
    [nil, e.message]
  end

  def take(host, addresses, because)
    because ||= "none of its addresses may be a server" unless may_serve?(host, addresses || [])
    if because
      log.warn "synapse: #{@name}: #{host} keeps the addresses it had: #{because}" if @untold[host] != because
    else
      log.info "synapse: #{@name}: #{host} is told again" if @untold[host]
      @told[host] = addresses
    end
    @untold[host] = because
  end

  # Else they take no place of those before.
  def may_serve?(host, addresses)
    discovery_servers.any? { |server| server["host"] == host && allowed(server, addresses).any? }
  end

  def host?(host)
    discovery_servers.any? { |server| server["host"] == host }
  end

  def allowed(server, addresses)
    Policy.allowed(@name, addresses.map { |host| { "host" => host, "port" => server["port"] } }).map { |each| each["host"] }
  end

  def backends_of(servers)
    all = servers.flat_map { |server, addresses| addresses.map { |host| { "host" => host, "port" => server["port"] } } }
    # Two names may lead to one server.
    all.uniq
  end

  def configure_backends(servers)
    backends = backends_of(servers)
    # With nothing to serve there is nothing to change.
    set_backends(backends) unless backends.empty?
  end
end

# Synapse drops what HAProxy 1.6 did not know of a service's lines. They are the inventory's, and HAProxy says what it
# does not take.
module KeepLines
  private

  def validate_haproxy_stanza(stanza, *)
    stanza
  end
end

# Servers that have left stay in Synapse's state file for a day, disabled, with the options and the numbers they had.
module RememberAllowed
  IDS = (1..65_535).freeze

  private

  def read_state_file
    state = super
    return {} unless state.is_a?(Hash)
    state.select { |_, backends| backends.is_a?(Hash) }.to_h { |service, backends| [service, allowed(service, backends)] }
  end

  def allowed(service, backends)
    taken = {}
    backends.each_with_object({}) do |(name, backend), kept|
      next kept[name] = backend if self.class::NON_BACKENDS_KEYS.include?(name)
      next unless backend.is_a?(Hash) && Policy.allowed?(service, backend)
      id = backend["haproxy_server_id"]
      is_own = id.is_a?(Integer) && IDS.cover?(id) && !taken[id]
      taken[id] = true if is_own
      kept[name] = is_own ? backend : backend.reject { |key, _| key == "haproxy_server_id" }
    end
  end
end

# Synapse enables what is registered over the socket, also a server that asks to be disabled.
module LeaveDisabled
  class Enabled < SimpleDelegator
    def backends
      super.reject { |backend| backend["haproxy_server_options"].to_s.split.include?("disabled") }
    end
  end

  def update_backends_at(socket, watchers)
    super(socket, watchers.map { |watcher| Enabled.new(watcher) })
  end
end

# Synapse asks HAProxy in its main loop and waits for the answer for ever: a HAProxy that is stopped or hangs would
# stop the discovery. An error makes Synapse ask for a reload instead.
module BoundedSocket
  ANSWER_S = 2

  def update_backends_at(*)
    @hangs = false
    super
  end

  def talk_to_socket(path, command)
    raise "HAProxy did not answer before" if @hangs
    ends_at = BoundedSocket.now + ANSWER_S
    socket = Socket.new(:UNIX, :STREAM)
    # Fails at once where the queue of those who wait is full.
    socket.connect_nonblock(Socket.sockaddr_un(path))
    socket.write(command)
    answer = +""
    loop do
      left = ends_at - BoundedSocket.now
      unless left.positive? && IO.select([socket], nil, nil, left)
        @hangs = true
        raise "HAProxy did not answer within #{ANSWER_S} s"
      end
      part = socket.read_nonblock(65_536, exception: false)
      return answer if part.nil?
      answer << part unless part == :wait_readable
    end
  ensure
    socket&.close
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

# Synapse looks for changed options in its state file, which it writes once a minute: a backend that comes back sooner
# with others would be enabled with those it had.
module ReloadForOptions
  REMEMBERED = 10_000

  private

  def generate_backend_stanza(watcher, config)
    known = (@options_written ||= {})[watcher.name] ||= {}
    watcher.backends.each do |backend|
      name, options = construct_name(backend), backend["haproxy_server_options"].to_s
      @restart_required = true if known.fetch(name, options) != options
      known[name] = options
    end
    known.shift while known.size > REMEMBERED
    super
  end
end

# The second back end of a service, which requests go to while too few of its servers are up by their checks: all that
# are registered, unchecked. None beside a backup, which stands in by itself.
module Panic
  class All < SimpleDelegator
    def name
      super + BackendPolicy::PANIC
    end

    def backends
      Panic.any_backup?(super.map { |backend| backend["haproxy_server_options"].to_s.split }) ? [] : super
    end
  end

  def self.any_backup?(options)
    options.any? { |words| words.include?("backup") }
  end

  def update_backends_at(socket, watchers)
    super(socket, watchers + watchers.select { |watcher| panic_lines(watcher) }.map { |watcher| All.new(watcher) })
  end

  private

  def panic_lines(watcher)
    (watcher.config_for_generator[name] || {})["panic"]
  end

  def generate_backend_stanza(watcher, config)
    stanza = super
    lines = panic_lines(watcher)
    return stanza if lines.nil?
    servers = stanza.last.map(&:split)
    servers = [] if Panic.any_backup?(servers.reject { |words| words.last == "disabled" })
    stanza + [
      "\nbackend #{watcher.name}#{BackendPolicy::PANIC}",
      lines.map { |line| "\t#{line}" },
      servers.map { |words| "\t#{Policy::RULES.unchecked(words).join(" ")}" },
    ]
  end
end

Synapse::ServiceWatcher::BaseWatcher.prepend(KeepLast)
Synapse::ServiceWatcher::BaseWatcher.prepend(PickByLabels)
Synapse::ServiceWatcher::ZookeeperWatcher.prepend(RefuseUnusable)
Synapse::ServiceWatcher::DnsWatcher.prepend(FollowNames)
Synapse::ConfigGenerator::Haproxy::HaproxyState.prepend(RememberAllowed)
Synapse::ConfigGenerator::Haproxy.prepend(LeaveDisabled)
Synapse::ConfigGenerator::Haproxy.prepend(BoundedSocket)
Synapse::ConfigGenerator::Haproxy.prepend(ReloadForOptions)
Synapse::ConfigGenerator::Haproxy.prepend(KeepLines)
# Outside of all others: they treat the second back end as any other.
Synapse::ConfigGenerator::Haproxy.prepend(Panic)
