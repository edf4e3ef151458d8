# Who acts on the host at a boot or later: scripts, units, cron and the like.

my @CONFIGURED = qw(/etc /run /usr/local/lib /usr/lib /lib);
my $STARTS = qr/\A(?:Exec(?:Condition|StartPre|Start|StartPost|Reload|Stop|StopPost)|EnvironmentFile)\z/;
my $LEADS_TO = qr/\A(?:Wants|Requires|BindsTo|Upholds|OnSuccess|Unit|Service|Sockets)\z/;
my $NEVER_AT_BOOT = qr/\A(?:rescue|emergency|halt|poweroff|reboot|shutdown|kexec|exit|final|umount|(?:hybrid-)?sleep|suspend|(?:suspend-then-)?hibernate|initrd.*)\.target\./;
my $MOST_SCRIPTS = 400;
my $MOST_BY_STAR = 50;
my $MOST_WRITERS = 1000;

# The text of a script or configuration, no more than $CONTENT_BYTES; undefined of a program, or of what is no file.
sub script {
  my ($path, $is_named) = @_;
  my $read = as_keeper($path, sub {
    -f $path or return ["absent"];
    my $size = -s _;
    my $text = slurp($path, $size > 16384 ? 1024 : $CONTENT_BYTES) // return failed();
    my $begin = substr $text, 0, 1024;
    return ["absent"] if $begin =~ /\0/ || ($is_named && $path =~ m{\A(?:/usr)?/(?:s?bin|lib)} && $begin !~ /\A#!/);
    return ["unreadable", "larger than $CONTENT_BYTES bytes"] if $size > $CONTENT_BYTES;
    return ["value", $size > 16384 ? slurp($path, $CONTENT_BYTES) // return failed() : $text];
  });
  return $$read[0] eq "unreadable" && !$is_named ? (undef, $$read[1]) : $$read[0] eq "value" ? $$read[1] : undef;
}

# Number and text of each line that is neither empty nor a comment, continued ones joined.
sub said_in {
  my ($text) = @_;
  my ($number, $begun, $whole, @said) = (0, 0, "");
  for (split /\n/, $text) {
    $number++;
    $begun = $number if $whole eq "";
    next if $whole eq "" && /\A\s*(?:[#;]|\z)/;
    $whole .= $_;
    next if $whole =~ s/\\\z/ /;
    push @said, [$begun, $whole];
    $whole = "";
  }
  push @said, [$begun, $whole] if $whole ne "";
  return @said;
}

# The units that a boot may lead to, now or later, by whatever asks for them, and what they start: [unit, file, line, text];
# of what they do when they end "UNIT ExecStop" instead of the unit.
sub started_at_boot {
  my ($paths, $beside) = unit_files(1);
  my (%wanted, @starts);
  my @queue = map { my $name = $_; map { names($_, qr/\A[^.]/) } @{$$beside{$name}} }
    grep { /\.(?:wants|requires|upholds)\z/ && $_ !~ $NEVER_AT_BOOT } keys %$beside;
  # What systemd-run made is in nobody's directory.
  push @queue, grep { $$paths{$_}[0] =~ m{\A/run/systemd/transient/} } keys %$paths;
  while (defined(my $name = shift @queue)) {
    next if $wanted{$name}++;
    my $other = unit_name($paths, $name);
    if ($other ne $name) { push @queue, $other; next }
    my $settings = unit_settings($paths, $beside, $name);
    if (!$settings) { $wanted{$name} = 0 if $$paths{$name}; next }
    push @queue, ($name =~ s/\.(?:timer|path|socket)\z/.service/r), $name =~ s/\.socket\z/\@.service/r if $name =~ /\.(?:timer|path|socket)\z/;
    my %mine;
    for (@$settings) {
      my ($path, $line, undef, $key, $value) = @$_;
      if ($key =~ $LEADS_TO) { push @queue, split " ", $value }
      elsif ($key =~ $STARTS) {
        if ($value eq "") { $mine{$key} = [] } else { push @{$mine{$key}}, [$key =~ /\AExecStop/ ? "$name $key" : $name, $path, $line, $value] }
      }
    }
    push @starts, map { @$_ } values %mine;
  }
  return (\%wanted, @starts);
}

# kernel.writers KEY...: the lines of boot.lines that name one of these keys (paths below /proc/sys), without what units do
# when they end.
sub kernel_writers {
  my $leaves = join "|", map { quotemeta s{.*/}{}sr } @_;
  my $pattern = qr{\b(?:$leaves)\b|\b(?:net|vm|fs|kernel)[./][\w./-]*[*?\[\$]|\bcd .*/proc/sys};
  my $words = join "|", $leaves, "/proc/sys", map { my $top = $_; map { quotemeta "$top$_" } ".", "/" } qw(net vm fs kernel);
  return boot_lines($pattern, qr/$words/, 1);
}

# boot.lines PATTERN WORDS: whatever fits the pattern and is run or read at a boot, or later, by others than those who read
# sysctl.d. Each such line has one of the words, which are found much faster: most files have none of them.
# Fields: file, line, text, by whom; line 0 with the reason for a file that could not be read.
sub boot_lines {
  my ($pattern, $words, $is_start) = @_;
  my $fits = sub { return $_[0] =~ $words && $_[0] =~ $pattern ? 1 : 0 };
  my (@found, %seen);
  my ($wanted, @starts) = @{$started{boot} //= [started_at_boot()]};
  @starts = grep { $$_[0] !~ / / } @starts if $is_start;
  my $enabled = sub { return grep { $$wanted{$_} } @_ };
  my $is_ufw = (slurp("/etc/ufw/ufw.conf", 65536) // "") =~ /^\s*ENABLED=["']?yes\b/im;

  my ($look, $follow);
  # Whether a line fits, and the paths that it names: each, and whether it is code there.
  my $taken = sub {
    my ($text) = @_;
    my @named;
    # As nft finds one.
    $text =~ s{\binclude "(?=\w)}{$&/etc/};
    while ($text =~ m{(/[\w./\@+-]{3,}(?:\*[\w.*]*)?)}g) {
      my ($named, $before) = ($1, substr $text, 0, $-[1]);
      next if $before ne "" && substr($before, -1) =~ m{[\w/.\$\}*-]};
      push @named, [$named, $before =~ /(?:\A|[\s;&|("'])(?:\.|source|sh|bash|dash)\s+["']?\z/];
    }
    return ($fits->($text), @named);
  };
  my $lines = $made{$pattern} //= {};
  my $judge = sub {
    my ($path, $line, $text, $how, $depth) = @_;
    my ($is_fit, @paths) = made_of($lines, $text, $taken);
    push @found, $path, $line, substr($text, 0, 2000), $how if $is_fit;
    @found <= $MOST_WRITERS * 4 or die "more than $MOST_WRITERS lines fit\n";
    return if $depth >= 3;
    my $loads = $text =~ /\bsysctl\b/;
    for (@paths) {
      my ($named, $is_code) = @$_;
      my @named = $named;
      if ($named =~ m{(.*)/(.*\*.*)}) {
        my ($directory, $fits) = ($1, join ".*", map { quotemeta } split /\*/, $2, -1);
        @named = map { "$directory/$_" } sort(names($directory, qr/\A(?!\.)$fits\z/));
      }
      # So many are somebody's data: sessions, reports, sites.
      @named = () if @named > $MOST_BY_STAR;
      $follow->($_, $how, $depth + 1, $loads, $is_code) for @named;
    }
    $follow->("/etc/sysctl.conf", $how, 3, 1) if $loads && $text =~ /\s(?:-p|--load)\s*(?:["';&|]|\z)/;
  };
  $look = sub {
    my ($path, $how, $depth, $only, $is_code) = @_;
    return if $seen{$path}++;
    keys %seen <= $MOST_SCRIPTS or die "more than $MOST_SCRIPTS scripts run at boot\n";
    my ($text, $because) = @{$scripts{"$depth $path"} //= [(script($path, $depth))[0, 1]]};
    push @found, $path, 0, $because, $how if defined $because;
    defined $text or return;
    # What packages bring, and data, lead to nobody's scripts.
    my $is_data = !$only && $depth && !$is_code && $text !~ /\A#!/ && !-x $path;
    return if ($is_data || $only && $path =~ m{\A(?:/usr)?/lib/}) && !made_of($made{"data $pattern"} //= {}, $text, sub { grep { $fits->($_) } $text =~ $words ? split /\n/, $text : () });
    for (made_of($made{said} //= {}, $text, \&said_in)) { $judge->($path, @$_, $how, $is_data ? 3 : $depth) if !$only || $$_[1] =~ $only }
  };
  $follow = sub {
    my ($path, $how, $depth, $loads, $is_code) = @_;
    # What logs hold was done, or asked for, and is run by nobody.
    return if $path =~ m{\.(?:log|err)\z|/\z|\A/(?:proc|sys|dev|run|tmp|var/log|usr/share|opt/meshctl|s?bin|usr/s?bin/(?:env|sh|sysctl)\z|lib/systemd|usr/lib/systemd)(?:/|\z)} || (!$is_ufw && $path =~ m{\A/etc/(?:ufw/|default/ufw)});
    return if !$loads && $path =~ m{/sysctl\.(?:d/|conf\z)} && $path !~ m{\A/etc/ufw/};
    $look->($path, $how, $depth, undef, $is_code);
  };
  # As run-parts takes them, or with another pattern of names.
  my $parts = sub {
    my ($directory, $how, $names) = @_;
    for (sort(names($directory, $names // qr/\A[\w-]+\z/))) { $look->("$directory/$_", $how, 0) if -x "$directory/$_" && !-d _ }
  };
  my $files = sub {
    my ($directory, $how, $names, $only) = @_;
    $look->("$directory/$_", $how, 0, $only) for sort(names($directory, $names));
  };
  # Configuration of which one directory's file hides the next one's.
  my $layered = sub {
    my ($name, $how, $suffix, $only) = @_;
    my %first;
    for my $directory (map { "$_/$name" } @CONFIGURED) { $first{$_} //= "$directory/$_" for names($directory, $suffix) }
    $look->($_, $how, 0, $only) for sort values %first;
  };

  if ($is_ufw && $enabled->("ufw.service")) {
    my ($sysctl) = (slurp("/etc/default/ufw", 65536) // "") =~ /^\s*IPT_SYSCTL=["']?([^\s"'#]+)/m;
    $look->($sysctl, "ufw", 0) if defined $sysctl;
    $parts->("/etc/ufw", "ufw", qr/\A(?:before|after)\.init\z/);
    $files->("/etc/ufw", "ufw", qr/rules\z/);
  }
  $look->("/etc/rc.local", "rc.local", 0) if -x "/etc/rc.local";
  if ($enabled->(qw(cron.service crond.service cronie.service anacron.service anacron.timer cron.target bcron.service))) {
    $look->($_, "cron", 0) for "/etc/crontab", "/etc/anacrontab";
    $files->("/etc/cron.d", "cron", qr/\A[\w-]+\z/);
    $files->($_, "cron", qr/\A[^.]/) for "/var/spool/cron/crontabs", "/var/spool/cron";
    $parts->("/etc/cron.$_", "cron") for qw(hourly daily weekly monthly yearly);
  }
  $files->("/var/spool/cron/atjobs", "at", qr/\A[a=]/) if $enabled->("atd.service");
  $files->("/etc/logrotate.d", "logrotate", qr/\A[^.]/) if -x "/usr/sbin/logrotate";
  $files->("/etc/apt/apt.conf.d", "apt", qr/\A[\w.-]+\z/);
  $files->("/etc/iptables", "netfilter-persistent", qr/\Arules\.v[46]\z/) if $enabled->("netfilter-persistent.service");
  if (-x "/sbin/ifup" || -x "/usr/sbin/ifup") {
    my $up = qr/\A\s*(?:pre-up|up|post-up)\s/;
    $look->("/etc/network/interfaces", "ifupdown", 0, $up);
    $files->("/etc/network/interfaces.d", "ifupdown", qr/\A[\w.-]*[\w-]\z/, $up);
    $parts->("/etc/network/if-$_.d", "ifupdown") for qw(pre-up up);
  }
  if (-x "/sbin/dhclient") { $files->("/etc/dhcp/dhclient-$_-hooks.d", "dhclient", qr/\A[\w.-]*[\w-]\z/) for qw(enter exit) }
  $parts->("/etc/ppp/ip-up.d", "pppd") if -x "/usr/sbin/pppd";
  if ($enabled->("NetworkManager.service")) {
    for my $place (qw(/etc /usr/lib)) { $parts->("$place/NetworkManager/dispatcher.d$_", "NetworkManager", qr/\A[^.]/) for "", "/pre-up.d", "/no-wait.d" }
  }
  if ($enabled->("networkd-dispatcher.service")) {
    for my $place (map { "$_/networkd-dispatcher" } qw(/etc /usr/lib)) { $parts->("$place/$_", "networkd-dispatcher", qr/\A[^.]/) for names($place, qr/\.d\z/) }
  }
  $layered->("tmpfiles.d", "tmpfiles", qr/\A[^.].*\.conf\z/, qr/\A\s*w\S*\s/);
  $layered->("udev/rules.d", "udev", qr/\A[^.].*\.rules\z/, qr/SYSCTL\{|RUN/);
  $layered->("modprobe.d", "modprobe", qr/\A[^.].*\.conf\z/, qr/\A\s*install\s/);
  # Unless it is told otherwise, tuned reads sysctl.d once more when it is done.
  if ($enabled->("tuned.service") && (slurp("/etc/tuned/tuned-main.conf", 65536) // "") =~ /^\s*reapply_sysctl\s*=\s*(?:0|false|no|n|f)\s*$/im) {
    my @profiles = split " ", slurp("/etc/tuned/active_profile", 4096) // "";
    while (defined(my $profile = shift @profiles)) {
      my ($conf) = grep { -f } map { "$_/" . $profile =~ s{.*/}{}r . "/tuned.conf" } qw(/etc/tuned/profiles /etc/tuned /usr/lib/tuned/profiles /usr/lib/tuned);
      next if !defined $conf || $seen{$conf};
      $look->($conf, "tuned", 0);
      push @profiles, grep { $_ ne "" } map { split /[\s,;]+/ } (script($conf))[0] =~ /^\s*include\s*=\s*(.*)/mg;
    }
  }
  if (-e "/usr/bin/cloud-init" && !-e "/etc/cloud/cloud-init.disabled") {
    $parts->("/var/lib/cloud/scripts/per-boot", "cloud-init", qr/\A[^.]/);
    for my $path ("/etc/cloud/cloud.cfg", (map { "/etc/cloud/cloud.cfg.d/$_" } sort(names("/etc/cloud/cloud.cfg.d", qr/\.cfg\z/))),
      map { "/var/lib/cloud/instance/$_" } qw(cloud-config.txt vendor-cloud-config.txt)) {
      my $key = "";
      for (said_in((script($path))[0] // "")) { $key = $1 if $$_[1] =~ /\A(\w+):/; $judge->($path, @$_, "cloud-init", 0) if $key eq "bootcmd" }
    }
  }
  # Their names tell for what.
  for (@starts) { my ($unit, $path, $line, $text) = @$_; $judge->($path, $line, $text, $unit, 0) }
  $look->($_, "login", 1) for "/etc/profile", "/etc/bash.bashrc", (map { "/root/$_" } qw(.profile .bash_profile .bashrc)), map { "/etc/profile.d/$_" } sort(names("/etc/profile.d", qr/\.sh\z/));
  # It holds the others, and they hold it.
  undef $follow;
  return ["value", @found];
}
