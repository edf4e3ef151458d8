# The packet filter.

my $NFT = "/usr/sbin/nft";

# What nft lists, errors too; it must succeed, unless what is cut shows.
sub nft {
  my ($may_be_cut, @what) = @_;
  my ($code, $text) = output_of([$NFT, @what], errors => 1, most => 2 << 20);
  die(($text =~ s/\s+/ /gr || "nft said nothing") . "\n") if $code && !$may_be_cut;
  return $text;
}

# Whether the kernel has tables of nftables. The kernel itself is asked, for a host may have no nft; a module that is not
# loaded has none, and stays so.
sub has_tables {
  return 0 if !-e "/sys/module/nf_tables" && names("/lib/modules/" . (POSIX::uname())[2] . "/kernel/net/netfilter", qr/\Anf_tables\.ko/);
  # AF_NETLINK, NETLINK_NETFILTER; NFT_MSG_GETTABLE, NLM_F_REQUEST | NLM_F_DUMP.
  if (!socket(my $kernel, 16, 3, 12)) { return 0 if $! == EPROTONOSUPPORT }
  elsif (defined syswrite($kernel, pack "LSSLLCCS", 20, 0xa01, 0x301, (0) x 5) && sysread($kernel, my $told, 65536)) {
    # NLMSG_DONE at once; NLMSG_ERROR with EINVAL of a kernel without them.
    my ($type, $error) = unpack "x4Sx10l", $told;
    return $type != 3 if $type != 2;
    $! = -$error;
    return 0 if $! == EINVAL;
  }
  die "the kernel does not tell its tables of nftables: $!\n";
}

# Of all tables, without what their sets hold. Absent where nft, which others may do without, is not there to list them.
sub nft_ruleset {
  return ["value", '{"nftables":[]}'] if !has_tables();
  return -x $NFT ? ["value", nft(1, "-t", "-j", "list", "ruleset")] : ["absent"];
}

# Rules in the words of iptables-save: those of iptables-legacy and of its successor, of which nft lists what it knows.
sub iptables_rules {
  my $text = "";
  my @kinds = has_tables() ? "nft" : ();
  for my $family ("ip", "ip6") {
    for my $kind (@kinds, (slurp("/proc/net/${family}_tables_names", 4096) // "") =~ /\S/ ? "legacy" : ()) {
      my ($save, $is_listed) = ("/usr/sbin/${family}tables-$kind-save", $kind eq "nft" && -x $NFT);
      next if $is_listed && !-x $save;
      -x $save or die "the kernel has such rules, and $save is not there: apt-get install iptables nftables\n";
      my ($code, $rules) = output_of([$save], most => 2 << 20);
      # 1.8.7 aborts at tables that it does not understand.
      die "$save ended with exit code $code\n" if $code && !$is_listed;
      $text .= "#$family " . ($code ? "failed\n" : ($is_listed ? "listed" : $kind) . "\n$rules");
    }
  }
  return ["value", $text];
}

# meshctl's own table, as text and as JSON: no fields where there is none. nft 1.0.6 ends its JSON at a table that is
# switched off.
sub nft_table {
  -x $NFT or return ["absent"];
  return ["value"] if !has_tables() || nft(0, "list", "tables") !~ /^table inet meshctl$/m;
  my @table = qw(list table inet meshctl);
  return ["value", nft(0, @table), nft(1, "-j", @table)];
}

# Fields: port here and address there, of the connections that others hold to the ports.
sub sockets_from {
  my $ports = join " or ", map { "sport = :$_" } @_;
  my %peers;
  for (split /\n/, told(["ss", "-Htn", "state", "established", "( $ports )"], most => 16 << 20)) {
    my (undef, undef, $here, $there) = split " ";
    $peers{$here =~ s/.*://r . " " . $there =~ s/:\d+\z//r} = 1 if defined $there;
  }
  my @peers = sort keys %peers;
  return ["value", map { split / / } @peers[0 .. ($#peers < 999 ? $#peers : 999)]];
}
