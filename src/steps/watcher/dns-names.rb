# What DNS says of names, as this host asks for them: for Synapse (synapse-patches.rb), and as a program for meshctl's look:
# dns-names.rb NAMESERVER NAME... prints a line for each name, parted by tabs: NAME "=" ADDRESS…, or NAME and why there is
# none. An empty NAMESERVER stands for those of /etc/resolv.conf. A name is whole: search domains do not count.
require "ipaddr"
require "resolv"
require "securerandom"
require "socket"

module DnsNames
  NoAnswer = Class.new(StandardError)
  PORT = 53
  OF_HOST = "/etc/resolv.conf"
  # A server that has to ask others first has told by the second time.
  TRIES_S = [1, 3].freeze
  # As the C library has it.
  MOST_SERVERS = 3
  MOST_ALIASES = 16
  CODES = { 1 => "FORMERR", 2 => "SERVFAIL", 3 => "NXDOMAIN", 4 => "NOTIMP", 5 => "REFUSED" }.freeze
  NO_SUCH_NAME = 3
  NOT_IMPLEMENTED = 4
  A = Resolv::DNS::Resource::IN::A
  AAAA = Resolv::DNS::Resource::IN::AAAA

  # The addresses of a name in an order of their own, at least one. Raises NoAnswer with the reason.
  def self.addresses(name, nameserver)
    servers = nameserver.to_s.empty? ? servers_of_host : [nameserver]
    found = (ipv6? ? [A, AAAA] : [A]).flat_map { |type| ask(name, type, servers) }
    raise NoAnswer, "#{name} has no address, says #{servers.first}" if found.empty?
    found.map { |address| IPAddr.new(address.to_s).to_s }.uniq.sort
  rescue SystemCallError, SocketError, IPAddr::Error => e
    raise NoAnswer, "#{name} cannot be asked for: #{e.message}"
  end

  def self.servers_of_host
    # Comments are in any encoding.
    found = File.file?(OF_HOST) ? File.binread(OF_HOST).scan(/^nameserver[ \t]+(\S+)/).flatten : []
    found.empty? ? ["127.0.0.1"] : found.first(MOST_SERVERS)
  end

  # Whether an IPv6 address is of any use to this host: whether it has one of scope 0, global. Its list by the C library
  # takes a netlink socket, which the watcher may not open.
  def self.ipv6?
    File.foreach("/proc/net/if_inet6").any? { |line| line.split[3] == "00" }
  rescue Errno::ENOENT
    false
  end

  def self.ask(name, type, servers)
    because = nil
    TRIES_S.product(servers).each do |seconds, server|
      reply = exchange(server, name, type, seconds)
      return addresses_in(reply, name, type) if reply.rcode.zero?
      raise NoAnswer, "#{name} does not exist, says #{server} (NXDOMAIN)" if reply.rcode == NO_SUCH_NAME && type == A
      # Of a name that has an IPv4 address.
      return [] if type == AAAA && [NO_SUCH_NAME, NOT_IMPLEMENTED].include?(reply.rcode)
      because = "#{server} answers #{CODES.fetch(reply.rcode, "with code #{reply.rcode}")} for #{name}"
    rescue Errno::ECONNREFUSED
      because = "no DNS server listens at #{server}"
    rescue SystemCallError, SocketError => e
      because = "#{server} cannot be asked for #{name}: #{e.message}"
    rescue NoAnswer => e
      raise unless e.message.empty?
      because = "#{server} does not answer for #{name}"
    end
    raise NoAnswer, because
  end

  # What an answer tells of a name, by way of its aliases.
  def self.addresses_in(reply, name, type)
    at = whole(name)
    answers = reply.answer.map { |owner, _, data| [owner, data] }
    MOST_ALIASES.times do
      _, points = answers.find { |owner, data| owner == at && data.is_a?(Resolv::DNS::Resource::IN::CNAME) }
      break if points.nil?
      at = points.name
    end
    answers.select { |owner, data| owner == at && data.is_a?(type) }.map { |_, data| data.address }
  end

  def self.whole(name)
    Resolv::DNS::Name.create("#{name.chomp(".")}.")
  end

  # One question and its answer. Raises an empty NoAnswer where there is none in time.
  def self.exchange(server, name, type, seconds)
    ends_at = now + seconds
    question = Resolv::DNS::Message.new(SecureRandom.random_number(65_536))
    question.rd = 1
    question.add_question(whole(name), type)
    reply = by_datagram(server, question, ends_at)
    reply.tc == 1 ? by_stream(server, question, now + seconds) : reply
  end

  def self.by_datagram(server, question, ends_at)
    socket = UDPSocket.new(server.include?(":") ? Socket::AF_INET6 : Socket::AF_INET)
    # From nobody else then.
    socket.connect(server, PORT)
    socket.send(question.encode, 0)
    loop do
      wait(socket, ends_at)
      text = socket.recv_nonblock(65_535, exception: false)
      reply = text.is_a?(String) ? reply_in(text, question) : nil
      return reply if reply
    end
  ensure
    socket&.close
  end

  # What does not fit into a datagram.
  def self.by_stream(server, question, ends_at)
    socket = Socket.tcp(server, PORT, connect_timeout: [ends_at - now, 0.1].max)
    text = question.encode
    socket.write([text.bytesize].pack("n") + text)
    answer = +""
    until answer.bytesize >= 2 && answer.bytesize >= 2 + answer.unpack1("n")
      wait(socket, ends_at)
      part = socket.read_nonblock(65_537, exception: false)
      raise NoAnswer, "" if part.nil?
      answer << part unless part == :wait_readable
    end
    reply_in(answer.byteslice(2, answer.unpack1("n")), question) || raise(NoAnswer, "")
  rescue Errno::ETIMEDOUT, Errno::ECONNRESET, Errno::EPIPE
    raise NoAnswer, ""
  ensure
    socket&.close
  end

  # Undefined when it is no answer to the question.
  def self.reply_in(text, question)
    reply = Resolv::DNS::Message.decode(text)
    reply if reply.qr == 1 && reply.id == question.id && reply.question == question.question
  rescue Resolv::DNS::DecodeError, ArgumentError
    nil
  end

  def self.wait(socket, ends_at)
    left = ends_at - now
    raise NoAnswer, "" unless left.positive? && IO.select([socket], nil, nil, left)
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # As the program prints it. All are asked for at once.
  def self.print(nameserver, *names)
    asked = names.map do |name|
      Thread.new do
        ["=", *addresses(name, nameserver)]
      rescue NoAnswer => e
        [e.message]
      end
    end
    names.zip(asked) { |name, thread| puts [name, *thread.value].join("\t") }
  end
end

DnsNames.print(*ARGV) if $PROGRAM_NAME == __FILE__
