# check-servers.rb POLICY CANDIDATE CONFIG RESOLVED KEPT BARE LEFT_OUT: the second look at what backends say of
# themselves, for root, who does not take Synapse's word. Writes the candidate to KEPT without the server lines that are
# more than the inventory's options and what the policy allows, to BARE also without those that have left or say what
# only this inventory allows, and to LEFT_OUT what was left out:
#   CODE SERVICE/SERVER REASON, parted by tabs; CODE is "policy", "outside" or "unresolved"
# RESOLVED tells what each host that is a name is on this host: HOST "ok" ADDRESS…, HOST "again" or HOST "unknown".
require "socket"
require_relative "backend-policy"

class CheckServers
  class LeftOut < StandardError
    attr_reader :code

    def initialize(code, reason)
      super(reason)
      @code = code
    end
  end

  # All that the inventory asks for: the installer compares every line that is no server with it.
  SECTIONS = %w[global defaults frontend backend].freeze
  PRINTED = /\A[ \t]*[ -~]*\n?\z/.freeze

  # `in_use` has the servers that get requests now, `resolved` the addresses of each name.
  def initialize(policy, in_use, resolved)
    @policy, @in_use, @resolved = policy, in_use, resolved
  end

  # Yields the code, the server and the reason of each that is left out. Returns the other lines, each with whether it
  # is no server, or one that says nothing which only this inventory allows.
  def kept(lines)
    service, names, ids, unchecked = nil, {}, {}, {}
    lines.filter_map do |line|
      words = line.split
      service, names, ids = (words[0] == "backend" ? words[1] : nil), {}, {} if SECTIONS.include?(words[0])
      next [line, true] if words[0] != "server"
      # Of the second back end, which stands behind the first: nothing but the servers that are kept there.
      if service.to_s.end_with?(BackendPolicy::PANIC)
        is_bare = unchecked[[service.delete_suffix(BackendPolicy::PANIC), *words]]
        next is_bare.nil? || !PRINTED.match?(line) ? nil : [line, is_bare]
      end
      begin
        refuse("it holds a character that is none of ASCII's printed ones") unless PRINTED.match?(line)
        is_bare = check(service, words, names, ids)
        unchecked[[service, *@policy.unchecked(words)]] = is_bare
        [line, is_bare]
      rescue LeftOut, BackendPolicy::Refused => e
        code = e.is_a?(LeftOut) ? e.code : "policy"
        # Nobody misses one that has left already.
        yield code, "#{service}/#{words[1]}", e.message unless words.include?("disabled")
        nil
      end
    end
  end

  # Servers that a configuration sends requests to.
  def self.in_use(lines)
    service = nil
    lines.each_with_object({}) do |line, found|
      words = line.split
      service = words[1] if words[0] == "backend"
      found["#{service}/#{words[1]}"] = true if words[0] == "server" && words.last != "disabled"
    end
  end

  private

  def check(service, words, names, ids)
    name, address, *options = words.drop(1)
    host, port = address.to_s.match(/\A(.+):([1-9][0-9]{0,4})\z/)&.captures
    refuse("#{address.inspect} is no host and port") if host.nil? || port.to_i > 65_535
    own_name = own_name(name, "#{host}:#{port}")
    take(options, names, ids, name)
    inventorys = @policy.server_options(service).split
    unless options.shift(inventorys.size) == inventorys
      refuse("its options do not begin with those that the inventory asks for")
    end
    # Synapse's word for one that has left.
    has_left = options.last == "disabled"
    options.pop if has_left
    @policy.check(service, own_name, host, port, options.join(" "))
    check_name(service, name, host) unless @policy.ip?(host)
    names[name] = true
    !has_left && !@policy.more?(service, options)
  end

  # The name that the backend gave itself: Synapse puts it before the address.
  def own_name(name, address)
    return nil if name == address
    refuse("#{name.inspect} is not the name of #{address}") unless name.end_with?("_#{address}")
    name[0...-address.size - 1]
  end

  # Takes away the words that Synapse adds by itself.
  def take(options, names, ids, name)
    refuse("its name stands there twice") if names[name]
    if options.first == "id"
      id = options.shift(2).last
      refuse("id #{id.inspect} is none, or another server's") if !/\A[1-9][0-9]{0,8}\z/.match?(id.to_s) || ids[id]
      ids[id] = true
    end
    return unless options.first == "cookie"
    refuse("its cookie is not its name") unless options.shift(2).last == name
  end

  def check_name(service, name, host)
    is, *addresses = @resolved.fetch(host, ["again"])
    if is != "ok"
      # A name service that does not answer is no reason to drop a server that HAProxy uses.
      return if is == "again" && @in_use["#{service}/#{name}"]
      raise LeftOut.new("unresolved", "the name does not resolve here")
    end
    return if @policy.inventorys?(service, name)
    addresses.each { |address| check_resolved(host, address) }
  end

  def check_resolved(host, address)
    ip = IPAddr.new(address[/\A[^%]+/])
    # Debian gives a host's own name to its loopback.
    return if ip.loopback? && host[/\A[^.]+/].casecmp?(Socket.gethostname[/\A[^.]+/])
    @policy.check_address(ip, "#{host} is #{address} here, which")
  rescue BackendPolicy::Refused => e
    raise LeftOut.new("outside", e.message)
  end

  def refuse(reason)
    raise LeftOut.new("policy", reason)
  end
end

if $PROGRAM_NAME == __FILE__
  policy, candidate, config, resolved, kept, bare, left_out = ARGV
  lines = ->(path) { File.exist?(path) ? File.read(path, encoding: "UTF-8").scrub.lines : [] }
  answers = lines.call(resolved).to_h { |line| [line.split("\t").first, line.chomp.split("\t").drop(1)] }
  check = CheckServers.new(BackendPolicy.new(policy), CheckServers.in_use(lines.call(config)), answers)
  rows = []
  sound = check.kept(lines.call(candidate)) { |*row| rows << row.map { |text| text.gsub(/[\t\n]/, " ") }.join("\t") }
  File.write(kept, sound.map(&:first).join)
  File.write(bare, sound.select(&:last).map(&:first).join)
  File.write(left_out, rows.map { |row| "#{row}\n" }.join)
end
