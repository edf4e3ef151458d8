# Loaded before Nerve. Writes down which nodes this Nerve made and in which session: one that an earlier Nerve left
# behind lives on until that session times out, and looks the same. One that it took away again is kept as such, for a
# service that has never been registered is another matter.
require "fileutils"
require "json"
require "nerve"
require "nerve/reporter/zookeeper"

module RecordNodes
  FILE = ENV.fetch("MESHCTL_NODES")
  LOCK = Mutex.new
  NODES = {}

  def self.put(service, node)
    LOCK.synchronize do
      NODES[service] = node
      File.write("#{FILE}.tmp", JSON.generate(NODES))
      FileUtils.mv("#{FILE}.tmp", FILE)
    end
  end

  def initialize(service)
    super
    @service_name = service["name"]
  end

  private

  def zk_create
    super
    session = format("%016x", @zk.session_id & 0xffff_ffff_ffff_ffff)
    RecordNodes.put(@service_name, "path" => @full_key, "session" => session)
  end

  def zk_delete
    super
    made = NODES[@service_name]
    RecordNodes.put(@service_name, made.merge("left" => true)) if made
  end
end

Nerve::Reporter::Zookeeper.prepend(RecordNodes)
