# What a backend may say of itself, and where it may be. The rules are data, in a file that meshctl writes; this reads
# them for Synapse (synapse-patches.rb) and for root's installer (check-servers.rb). meshctl judges by the same data.
require "ipaddr"
require "json"

class BackendPolicy
  Refused = Class.new(StandardError)
  SHOWN = 40
  # A second back end of a service, with all of its servers, unchecked: requests go there while too few are up.
  PANIC = ":panic"

  def initialize(path)
    rules = JSON.parse(File.read(path))
    @name, @ipv4, @host_name = rules.values_at("name", "ipv4", "host_name").map { |rule| /\A(?:#{rule})\z/ }
    @options_length = rules.fetch("options_length")
    @nowhere = rules.fetch("nowhere").map { |network, says| [IPAddr.new(network), says] }
    @network_names = rules.fetch("networks")
    @check_words = rules.fetch("check_words")
    @networks = @network_names.map { |network| IPAddr.new(network) }
    @services = rules.fetch("services").transform_values do |service|
      options = service.fetch("options").transform_values { |rule| rule && /\A(?:#{rule})\z/ }
      { options: options, server_options: service["server_options"], servers: service["servers"], more: service["more"] }
    end
  end

  # What the inventory asks of every server of a service.
  def server_options(service)
    service(service)[:server_options]
  end

  # Raises Refused, which names the word, when a backend is to be left out.
  def check(service, name, host, port, options)
    refuse("name #{quoted(name)} is none of HAProxy's, or too long") unless @name.match?(name.to_s)
    check_host(host) unless inventorys?(service, BackendPolicy.server_name(name, host, port))
    check_options(service, options.to_s)
  end

  # Words of a server line without those about its checks.
  def unchecked(words)
    kept, words = [], words.dup
    until words.empty?
      values = @check_words[words.first]
      values ? words.shift(values + 1) : kept << words.shift
    end
    kept
  end

  # Whether options say what backends may say of this service alone.
  def more?(service, options)
    (options & service(service)[:more]).any?
  end

  # Whether it is a server of the inventory's own, by HAProxy's name of it. They may be anywhere.
  def inventorys?(service, server_name)
    service(service)[:servers].include?(server_name)
  end

  # Raises Refused for what is neither an address of a host nor a name.
  def check_host(host)
    if ip?(host)
      check_address(IPAddr.new(host), "host #{host}")
    elsif !@host_name.match?(host)
      refuse("host #{quoted(host)} is neither an IP address nor a name")
    end
  end

  def ip?(host)
    return @ipv4.match?(host) unless host.include?(":")
    # IPAddr also takes blocks and zones.
    host.match?(/\A[0-9A-Fa-f:.]+\z/) && IPAddr.new(host).ipv6?
  rescue IPAddr::Error
    false
  end

  # Raises Refused for an address that is no host's, or in none of the networks.
  def check_address(address, what)
    address = address.native if address.ipv4_mapped?
    _, says = @nowhere.find { |network, _| network.family == address.family && network.include?(address) }
    refuse("#{what} is #{says}") if says
    return if @networks.empty?
    return if @networks.any? { |network| network.family == address.family && network.include?(address) }
    refuse("#{what} is in none of mesh.networks (#{@network_names.join(", ")})")
  end

  def self.server_name(name, host, port)
    name.to_s.empty? ? "#{host}:#{port}" : "#{name}_#{host}:#{port}"
  end

  private

  def service(name)
    @services.fetch(name) { refuse("no such service in the inventory") }
  end

  def check_options(service, options)
    unless options.valid_encoding? && !options.match?(/[[:cntrl:]\uFFFD]/)
      refuse("haproxy_server_options hold a control character")
    end
    refuse("haproxy_server_options are longer than #{@options_length} characters") if options.size > @options_length
    allowed = service(service)[:options]
    words = options.split(/ +/).reject(&:empty?)
    seen = {}
    until words.empty?
      word = words.shift
      refuse("option #{quoted(word)} is not allowed") unless allowed.key?(word)
      refuse("option #{quoted(word)} stands there twice") if seen[word]
      seen[word] = true
      next if allowed[word].nil?
      value = words.shift
      refuse("option #{quoted(word)} has no value") if value.nil?
      refuse("option #{quoted(word)} has the value #{quoted(value)}") unless allowed[word].match?(value)
    end
  end

  def quoted(text)
    text = text.to_s
    (text.size > SHOWN ? "#{text[0, SHOWN]}…" : text).inspect
  end

  def refuse(reason)
    raise Refused, reason
  end
end
