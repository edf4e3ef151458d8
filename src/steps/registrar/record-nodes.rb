# Loaded before Nerve. Writes down which nodes this Nerve made and in which session: one that an earlier Nerve left
# behind lives on until that session times out, and looks the same. One that it took away again is kept as such, for a
# service that has never been registered is another matter. And registers with an account, where there is one.
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

# With an account Nerve registers so that others can read what it made and not change it. The paths that it makes are closed
# alike; those that are there meshctl closes. Who may do what is meshctl's acl.ts.
module Authenticate
  FILE = ENV["MESHCTL_ZOOKEEPER_AUTH"]
  CREDENTIALS = FILE && File.read(FILE)[/^secret=(.*)$/, 1]
  ACLS = ::Zookeeper::ACLs
  LOCK = Mutex.new

  def self.acl(rights_of_others)
    [
      ACLS::ACL.new(perms: ACLS::Constants::ZOO_PERM_ALL, id: ACLS::Constants::ZOO_AUTH_IDS),
      ACLS::ACL.new(perms: rights_of_others, id: ACLS::Constants::ZOO_ANYONE_ID_UNSAFE),
    ]
  end

  OTHERS_READ = acl(ACLS::Constants::ZOO_PERM_READ)
  OTHERS_CREATE = acl(ACLS::Constants::ZOO_PERM_READ | ACLS::Constants::ZOO_PERM_CREATE)
  # Of each client the session that it gave the account in: a new one begins without.
  SESSIONS = {}.compare_by_identity

  private

  def zk_save
    authenticate
    super
  end

  def zk_delete
    # One that has registered nothing may have no connection.
    authenticate if @full_key
    super
  end

  def zk_create
    authenticate
    create_path(@zk_path, OTHERS_READ)
    @full_key = @zk.create(@key_prefix, data: @data, mode: :ephemeral_sequential, acl: OTHERS_READ)
  end

  def create_path(path, acl)
    return if path == "/" || @zk.exists?(path)
    create_path(File.dirname(path), OTHERS_CREATE)
    @zk.create(path, "", mode: :persistent, acl: acl, ignore: :node_exists)
  end

  def authenticate
    LOCK.synchronize do
      return if SESSIONS[@zk] == @zk.session_id
      give_account
      SESSIONS[@zk] = @zk.session_id
    end
  end

  # zk puts what it was given into the words of its errors, which Nerve writes to the journal.
  def give_account
    @zk.add_auth(scheme: "digest", cert: CREDENTIALS)
  rescue StandardError => error
    raise RuntimeError, "ZooKeeper did not take the account in #{FILE}: #{error.class}", cause: nil
  end
end

raise "#{Authenticate::FILE} holds no account" if Authenticate::FILE && !Authenticate::CREDENTIALS

Nerve::Reporter::Zookeeper.prepend(Authenticate) if Authenticate::CREDENTIALS
Nerve::Reporter::Zookeeper.prepend(RecordNodes)
