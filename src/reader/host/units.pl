# Units: what systemd makes of their files, and what it tells of them.

# program PATH: why it cannot be executed, or ""; where it leads to; device and inode.
sub read_program {
  my ($path, $depth) = @_;
  my ($real) = resolved(checked(path => $path));
  my $leads = $real eq $path ? $path : "$path leads to $real, which";
  my $is = $real eq $path ? "$path is" : "$leads is";
  my @stat = stat $real;
  return ["value", $! == ENOENT || $! == ENOTDIR ? "$is not there" : "$is not to be reached: $!", $real, ""] if !@stat;
  my $id = "$stat[0]:$stat[1]";
  my $bad = sub { ["value", $_[0], $real, $id] };
  return $bad->("$is a " . kind($stat[2])) if !S_ISREG($stat[2]);
  return $bad->("$is not executable") if !($stat[2] & 0111);
  my $head = slurp($real, 256) // return $bad->("$is not to be read: $!");
  if ($head =~ /\A\x7fELF/) {
    # What loads it tells which libraries it finds, and runs what the file names for that: only of a file that is root's alone.
    my ($loader) = (slurp($real, 4096) // "") =~ m{(/lib(?:64|32|x32)?/ld[\w.-]+)\0};
    return $bad->("") if !defined $loader || $stat[4] || $stat[2] & 022 || defined((resolved($real, 1))[2]);
    return $bad->("$path cannot run: $loader is not there") if !-e $loader;
    my ($lost) = ($programs{$real} //= (output_of([$loader, "--list", $real], errors => 1))[1]) =~ /^\s*(\S+)\s=> not found|: (\S+): cannot open shared object/m ? $1 // $2 : ();
    return $bad->(defined $lost ? "$path cannot run: $lost, a library that it needs, is not there" : "");
  }
  my ($interpreter, $name) = $head =~ /\A#!\s*(\S+)[ \t]*(\S*)/ or return $bad->("$is no program");
  if ($interpreter =~ m{/env\z} && $name ne "" && $name !~ /\A-/) {
    my ($found) = grep { -x } map { "$_/$name" } qw(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin);
    return $bad->("$path cannot run: $name is not there") if !defined $found;
    $interpreter = $found;
  }
  return $bad->("") if ($depth // 0) > 3 || $interpreter !~ m{\A/};
  # What runs of a script is its interpreter.
  $id = "";
  my $below = read_program($interpreter, ($depth // 0) + 1);
  return $bad->($$below[1] eq "" ? "" : "$path cannot run: $$below[1]");
}

# Where systemd finds units, the first wins. What is below /run is made anew by generators; what somebody put there is
# gone at the next boot.
my @UNITS = qw(/etc/systemd/system.control /run/systemd/transient /run/systemd/generator.early /etc/systemd/system
  /etc/systemd/system.attached /run/systemd/system /run/systemd/generator /usr/local/lib/systemd/system
  /usr/lib/systemd/system /lib/systemd/system /run/systemd/generator.late);
my $GONE_AT_BOOT = qr{\A/run/systemd/(?:transient|system)/};

# All that is below those: name → paths of the unit; directory name ("x.target.wants", "x.service.d") → its paths. Without
# what is gone at the next boot, unless that is asked for too.
sub unit_files {
  my ($now_too) = @_;
  my $files = $unit_files{$now_too ? "now" : "boot"} //= do {
    my (%paths, %beside, %seen);
    for my $directory (grep { $now_too || "$_/" !~ $GONE_AT_BOOT } @UNITS) {
      my @stat = stat $directory or next;
      next if $seen{"$stat[0]:$stat[1]"}++;
      for my $name (names($directory, qr/\A[^.].*\.(?:service|target|socket|path|timer|mount|automount|slice|swap|device|scope|wants|requires|upholds|d)\z/)) {
        push @{($name =~ /\.(?:wants|requires|upholds|d)\z/ ? \%beside : \%paths)->{$name}}, "$directory/$name";
      }
    }
    [\%paths, \%beside];
  };
  return @$files;
}

sub template_of { return $_[0] =~ s/\@[^.]+\./\@./r }

# The name by which systemd knows a unit: a link of another name is an alias.
sub unit_name {
  my ($paths, $name) = @_;
  my $path = ($$paths{$name} || return $name)->[0];
  for (1 .. 10) { my $link = readlink $path // last; my ($last) = $link =~ m{([^/]+)\z} or last; last if $last eq "null" || $last =~ /\@\.\w+\z/; $name = $last; $path = $link =~ m{\A/} ? $link : $path =~ s{[^/]+\z}{$link}r }
  return $name;
}

sub unit_text {
  my ($text, $because) = script($_[0]);
  die "$_[0]: $because\n" if defined $because;
  return made_of($made{settings} //= {}, $text // "", \&settings_in);
}

# The settings of a unit, its drop-ins too: [file, number, section, key, value]; undefined when it is masked, or is nowhere.
sub unit_settings {
  my ($paths, $beside, $name) = @_;
  my $template = template_of($name);
  my $path = ($$paths{$name} // $$paths{$template} // return)->[0];
  my ($real) = eval { resolved($path) } or return;
  return if $real eq "/dev/null" || !-f $real || -z _;
  my ($type) = $name =~ /(\w+)\z/;
  my @prefixes = map { "$_.$type.d" } $name =~ /-/ ? do { my @part = split /-/, $name =~ s/\.\w+\z//r; map { join("-", @part[0 .. $_]) . "-" } 0 .. $#part - 1 } : ();
  my %file;
  for my $directory (map { @{$$beside{$_} || []} } "$name.d", $template eq $name ? () : "$template.d", reverse(@prefixes), "$type.d") {
    $file{$_} //= "$directory/$_" for names($directory, qr/\A[^.].*\.conf\z/);
  }
  return [map { my $file = $_; @{$unit_settings{$file} //= [map { [$file, @$_] } unit_text($file)]} } $real, map { $file{$_} } sort keys %file];
}

# Units that the links in a unit's directories ask for.
sub links_of {
  my ($beside, $name) = @_;
  my %entry;
  for my $kind (qw(wants requires upholds)) {
    for my $directory (map { @{$$beside{$_} || []} } "$name.$kind", $name =~ /\A([^@]+@)[^.]+(\.\w+)\z/ ? "$1$2.$kind" : ()) {
      for my $entry (names($directory, qr/\A[^.].*\.\w+\z/)) { $entry{"$kind/$entry"} //= (readlink("$directory/$entry") // "") }
    }
  }
  return map { $entry{$_} eq "/dev/null" ? () : m{/(.*)} } sort keys %entry;
}

# boot: the default target, then of each unit that it reaches: name, who asks for it, "running" when it has processes or is
# no service, the base name of its program, and the port numbers that its command, its script or its sockets name.
sub boot_plan {
  my ($paths, $beside) = unit_files();
  my $default = unit_name($paths, "default.target");
  my (%by, @told);
  my @queue = ([$default, ""]);
  while (@queue) {
    my ($name, $by) = @{shift @queue};
    $name = unit_name($paths, $name);
    next if exists $by{$name} || keys %by > 2000;
    my $settings = unit_settings($paths, $beside, $name) or next;
    $by{$name} = $by;
    my @next = links_of($beside, $name);
    my ($command, $type, $slice, $is_bare, @ports) = ("", "", "system.slice", 0);
    for (@$settings) {
      my (undef, undef, undef, $key, $value) = @$_;
      push @next, grep { $_ ne "" && !/%/ } split / +/, $value if $key =~ /\A(?:Wants|Requires|Requisite|BindsTo|Upholds)\z/;
      $command = $value if $key eq "ExecStart";
      $type = $value if $key eq "Type";
      $slice = $value || "system.slice" if $key eq "Slice";
      $is_bare = 1 if $key eq "DefaultDependencies" && $value =~ /\A(?:no|false|off|0)\z/i;
      push @ports, $value =~ /(\d+)\z/ if $key eq "ListenStream";
    }
    push @next, "sysinit.target" if $name =~ /\.(?:service|socket|path|timer)\z/ && !$is_bare;
    push @next, "basic.target" if $name =~ /\.service\z/ && $by eq "" && !$is_bare;
    my ($program) = $command =~ m{\A[-@:+!|]*"?([^\s"]+)};
    my $state = "running";
    if ($name =~ /\.service\z/ && defined $program && $type ne "oneshot") {
      my ($group) = grep { -d } map { "$_/$slice/$name" } @CGROUPS;
      if (!defined $group) {
        $state = "idle";
        push @ports, $command =~ /(?<![\d.])(\d{2,5})(?![\d.])/g;
        my $script = -f $program && -s _ < 65536 ? slurp($program, 65536) // "" : "";
        push @ports, $script =~ /(?<![\d.])(\d{2,5})(?![\d.])/g if $script =~ /\A#!/;
      }
    }
    my %port = map { $_ => 1 } grep { $_ > 0 && $_ < 65536 } @ports;
    push @told, $name, $by, $state, defined $program ? $program =~ s{.*/}{}r : "", join " ", sort keys %port;
    push @queue, map { [$_, $name] } @next;
  }
  return ["value", $default, "", "", "", "", @told];
}

# manager: what systemd gives every service it starts. Fields: where it is said, key, value (names of variables). Beside
# systemd's own: "Generator" (one that has not been run yet), "Preload" (of every program), "Kernel" (words of the command
# line of the next boot), "Fstab" (what a boot cannot mount, and does not go on without).
sub manager_settings {
  my %file = map { ($_ => "/etc/systemd/$_") } grep { -e "/etc/systemd/$_" } "system.conf";
  my %drop_in;
  for my $directory (map { "$_/systemd/system.conf.d" } qw(/etc /run /usr/local/lib /usr/lib /lib)) {
    $drop_in{$_} //= "$directory/$_" for names($directory, qr/\A[^.].*\.conf\z/);
  }
  my @told;
  for my $path (values %file, map { $drop_in{$_} } sort keys %drop_in) {
    my $text = whole($path);
    push @told, map { $$_[1] eq "Manager" ? ("$path:$$_[0]", $$_[2], $$_[3]) : () } settings_in($text);
  }
  my ($generated) = sort { $b <=> $a } map { (stat "/run/systemd/generator$_")[10] // () } "", ".early", ".late";
  for my $directory (map { "$_/systemd/system-generators" } qw(/etc /usr/local/lib)) {
    for (names($directory, qr/\A[^.]/)) { push @told, "$directory/$_", "Generator", "" if defined $generated && ((lstat "$directory/$_")[10] // 0) > $generated }
  }
  push @told, map { ("/etc/ld.so.preload:$$_[0]", "Preload", $$_[1]) } said_in(whole("/etc/ld.so.preload"));
  # The first entry is the one that boots unless somebody chooses.
  my ($entry) = grep { $$_[1] =~ /\A\s*linux/ } said_in(whole("/boot/grub/grub.cfg"));
  my $words = join " ", grep { /\A(?:systemd\.(?:mask|unit|volatile)=|overlayroot=|init=|(?:[sS1]|single|rescue|emergency)\z)/ } split " ", $entry ? $$entry[1] : "";
  push @told, "/boot/grub/grub.cfg:$$entry[0]", "Kernel", $words if $words ne "";
  for (said_in(whole("/etc/fstab"))) {
    my ($spec, $point, $type, $options) = map { unescaped($_) } split " ", $$_[1];
    next if !defined $type || $point !~ m{\A/.} || ($options // "") =~ /(?:\A|,)(?:noauto|nofail|_netdev|r?bind|x-systemd\.automount)(?:,|\z)/;
    my $path = device_of($spec);
    # systemd of a container passes over devices, and makes what a bind mount begins at.
    next if $path !~ m{\A/dev/} || -e $path || -e "/run/systemd/container";
    push @told, "/etc/fstab:$$_[0]", "Fstab", "$spec on $point";
  }
  my ($list) = eval { bus(property($MANAGER, "Manager", "Environment")) };
  my @variables = defined $list ? unpack "x8 (L/a x x!4)*", $list . "\0" x (-length($list) % 4) : split /\n/, told(["systemctl", "show-environment"]);
  my $names = join " ", map { /\A([A-Za-z_]\w*)=/ ? $1 : () } @variables;
  return ["value", @told, "systemctl show-environment", "Environment", $names];
}

# Seconds ago of each start by systemd itself in this boot, the newest first.
sub restarts {
  my $text = told(["journalctl", "-q", "--no-pager", "-b", "-o", "short-monotonic", "-n", 60, "_PID=1",
    "MESSAGE_ID=5eb03494b6584870a536b337290809b3", "UNIT=$_[0]"]);
  my $up = (split / /, slurp("/proc/uptime", 64) // die "$!\n")[0];
  return ["value", reverse map { /\A\[\s*(\d+\.\d+)\]/ ? int($up - $1) : () } split /\n/, $text];
}

# Each condition with "yes" or "no": whether it holds now.
sub conditions {
  return ["value", map { ($_, (output_of(["systemd-analyze", "condition", $_], errors => 1))[0] ? "no" : "yes") } @_];
}

# unit NAME PROPERTY...: one program for all units that are asked for together, each of them once: systemd tells all of a
# unit every time. Fields: property and value, ExecStart and EnvironmentFiles once for each.
sub units {
  my @asked = @_;
  my %wanted;
  for (@asked) {
    my (undef, $name, @properties) = @$_;
    checked(unit => $name);
    $wanted{checked(property => $_)} = 1 for @properties;
  }
  $wanted{ExecStart} = 1 if $wanted{Environment};
  my %known;
  my @names = grep { !$known{$_}++ } map { $$_[1] } @asked;
  my $moved = join(" ", sort keys %wanted) eq "InvocationID MainPID NeedDaemonReload" && eval { moved(@names) };
  my $text = $moved || told(["systemctl", "show", "--no-pager", (map { ("-p", $_) } sort keys %wanted), "--", @names]);
  my @shown = split /\n\n+/, $text =~ s/\A\n+//r;
  @shown == @names or die "systemctl told of " . @shown . " units instead of " . @names . "\n";
  my %shown;
  @shown{@names} = map { [map { /\A([^=]+)=(.*)\z/s ? [$1, $2] : () } split /\n/] } @shown;
  return map {
    my (undef, $name, @properties) = @$_;
    my %mine = map { $_ => 1 } @properties;
    my @lines = @{$shown{$name}};
    # Of a variable that no command line uses and that is not meshctl's the name alone.
    my $used = join "|", map { $$_[0] eq "ExecStart" ? $$_[1] =~ /\$\{?(\w+)/g : () } @lines;
    ["value", map { $mine{$$_[0]} ? ($$_[0], $$_[0] eq "Environment" ? join(" ", variables_in($$_[1], qr/\A(?:LANG|RUBYLIB|MESHCTL_\w+|$used)\z/)) : $$_[1]) : () } @lines];
  } @asked;
}

# What is asked of all units at the end of a look, as systemctl shows it.
sub moved {
  my @told = bus(map {
    my $path = "$MANAGER/unit/" . s/\A\d|[^A-Za-z0-9]/sprintf "_%02x", ord $&/ger;
    (property($path, "Unit", "InvocationID"), property($path, "Unit", "NeedDaemonReload"), property($path, "Service", "MainPID"));
  } @_);
  return join "\n", map {
    my ($invocation, $reload, $pid) = splice @told, 0, 3;
    defined $invocation && defined $reload && (defined $pid || !/\.service\z/) or die "no unit\n";
    "InvocationID=" . unpack("x8 H*", $invocation) . "\nNeedDaemonReload=" . (unpack("x4 L", $reload) ? "yes" : "no") . "\n" . (defined $pid ? "MainPID=" . unpack("x4 L", $pid) . "\n" : "");
  } @_;
}

# enabled NAME: as systemctl says it. systemd itself is asked for those that have a file; it does not know init scripts. Of
# what is neither systemctl has nothing to say.
sub enabled {
  my @names = map { checked(unit => $$_[1]) } @_;
  my $has_file = sub { my ($name, @in) = @_; return grep { lstat "$_/$name" or lstat "$_/" . template_of($name) } @in };
  my @there = grep { $has_file->($_, grep { !/late/ } @UNITS) } @names;
  my %word;
  @word{@there} = map { defined $_ ? unpack "L/a", $_ : $_ } eval { bus(map { [$MANAGER, "$SYSTEMD.Manager", "GetUnitFileState", $_] } @there) };
  return map {
    my $word = $word{$_};
    ($word) = split /\n/, (output_of(["systemctl", "is-enabled", "--", $_]))[1] if !defined $word && ($has_file->($_, @UNITS) || -e "/etc/init.d/" . s/\.service\z//r);
    ["value", $word // ""];
  } @names;
}
