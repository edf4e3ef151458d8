# Loaded before Synapse. With `use_previous_backends` Synapse goes on with the last backends of a service whose path
# became empty, but remembers them in memory only: restarted then, it would disable every server. This writes them
# down when they change, and lets a new Synapse begin with them.
require "fileutils"
require "json"
require "synapse/service_watcher/base"

module KeepLast
  FILE = ENV.fetch("MESHCTL_LAST_BACKENDS")
  LOCK = Mutex.new

  def self.read
    backends = JSON.parse(File.read(FILE))
    backends.is_a?(Hash) ? backends : {}
  rescue Errno::ENOENT, JSON::ParserError
    {}
  end

  def self.write(service, backends)
    LOCK.synchronize do
      File.write("#{FILE}.tmp", JSON.generate(read.merge(service => backends)))
      FileUtils.mv("#{FILE}.tmp", FILE)
    end
  end

  def initialize(opts = {}, synapse)
    super
    @backends = KeepLast.read.fetch(@name, []) if keeps_last?
  end

  private

  def update_backends(new_backends)
    updated = super
    KeepLast.write(@name, @backends) if updated && keeps_last?
    updated
  end

  def keeps_last?
    @use_previous_backends && @default_servers.empty? && @discovery["method"] == "zookeeper"
  end
end

Synapse::ServiceWatcher::BaseWatcher.prepend(KeepLast)
