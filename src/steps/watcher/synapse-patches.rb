# Loaded before Synapse: what its last release lacks to run by itself for years.
require "fileutils"
require "json"
require "socket"
require "synapse"
require "synapse/config_generator/haproxy"
require "synapse/service_watcher/zookeeper"

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
    return KeepLast.change { |known| known.delete(@name) || :as_it_was } unless keeps_last?
    last = KeepLast.read[@name]
    @backends = KeepLast.without_canaries(last["backends"]) if last.is_a?(Hash) && last["path"] == @discovery["path"]
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
    KeepLast.change { |known| known[@name] = { "path" => @discovery["path"], "backends" => backends } }
  end

  def keeps_last?
    @use_previous_backends && @default_servers.empty? && @discovery["method"] == "zookeeper"
  end
end

# ZooKeeper may be anybody's to write to. Synapse skips a child whose data is no JSON or has no host and port, and dies
# of much else, again at every start and with it the discovery of every service; what HAProxy does not take as a
# server's name or address would hold up all others. These are skipped with the same line in the log.
module RefuseUnusable
  ADDRESS = /\A[A-Za-z0-9_.:-]+\z/
  NAME = /\A[A-Za-z0-9_.:-]*\z/

  private

  def deserialize_service_instance(data)
    host, port, name, weight, options, _labels = super
    raise ArgumentError, "host #{host.inspect}" unless host.is_a?(String) && ADDRESS.match?(host)
    unless (port.is_a?(Integer) || port.is_a?(String)) && /\A[1-9][0-9]{0,4}\z/.match?(port.to_s) && port.to_i < 65_536
      raise ArgumentError, "port #{port.inspect}"
    end
    raise ArgumentError, "name #{name.inspect}" unless name.nil? || (name.is_a?(String) && NAME.match?(name))
    options = nil unless options.is_a?(String)
    raise ArgumentError, "haproxy_server_options #{options.inspect}" if options&.match?(/[[:cntrl:]]/)
    # Synapse fills the options in with Ruby's "%".
    [host, port, name, weight.is_a?(Integer) ? weight : nil, options&.gsub("%", "%%"), nil]
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

Synapse::ServiceWatcher::BaseWatcher.prepend(KeepLast)
Synapse::ServiceWatcher::ZookeeperWatcher.prepend(RefuseUnusable)
Synapse::ConfigGenerator::Haproxy.prepend(BoundedSocket)
Synapse::ConfigGenerator::Haproxy.prepend(ReloadForOptions)
