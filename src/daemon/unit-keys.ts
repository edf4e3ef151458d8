const HOUR = 3600;

/** Keys that change nothing about whether it starts, whatever they say. */
const HARMLESS =
  /^(?:Description|Documentation|SourcePath|After|Before|Wants|Wanted\w*|Alias|Also|OnFailure\w*|OnSuccess\w*|IgnoreOnIsolate|CollectMode|RestartSteps|RestartMaxDelaySec|RestartMode|RestartForceExitStatus|StartLimitBurst|TimeoutStopSec|TimeoutAbortSec|TimeoutStartFailureMode|TimeoutStopFailureMode|Nice|OOMScoreAdjust|OOMPolicy|CPU\w+|StartupCPU\w+|AllowedCPUs|IO\w+|StartupIO\w+|BlockIO\w+|NUMA\w+|Memory(?:Low|Min|Max|High|Limit|SwapMax|ZSwapMax|Accounting|Pressure\w+)|StartupMemory\w+|DefaultMemory\w+|ManagedOOM\w+|TasksMax|TasksAccounting|IPAccounting|Slice|Syslog\w+|LogLevelMax|LogRateLimit\w+|LogExtraFields|LogNamespace|LimitCORE|LimitNICE|LimitRTPRIO|LimitRTTIME|LimitMEMLOCK|LimitSIGPENDING|LimitMSGQUEUE|LimitLOCKS|CoredumpFilter|CoredumpReceive|TimerSlackNSec|KillMode|FinalKillSignal|SendSIGKILL|UMask|NoNewPrivileges|ProtectClock|ProtectHostname|ProtectKernelLogs|ProtectKernelModules|ProtectKernelTunables|ProtectControlGroups|ProtectHome|PrivateTmp|PrivateDevices|RestrictRealtime|RestrictSUIDSGID|RestrictNamespaces|LockPersonality|KeyringMode|RemoveIPC|SuccessExitStatus|PassEnvironment|DelegateSubgroup)$/;

/** Keys that may keep it from starting: believed only when what runs was started with them. */
const RISKY =
  /^(?:ExecCondition|ExecStartPre|ExecStartPost|Type|NotifyAccess|PIDFile|BusName|User|Group|DynamicUser|SupplementaryGroups|WorkingDirectory|RootDirectory|RootImage\w*|RootHash\w*|RootVerity|Mount\w+|ExtensionImages|ExtensionDirectories|ProtectSystem|ProtectProc|ProcSubset|Read(?:WritePaths|OnlyPaths|WriteDirectories|OnlyDirectories)|Inaccessible\w+|ExecPaths|NoExecPaths|TemporaryFileSystem|Bind\w+|Private\w+|NetworkNamespacePath|IPCNamespacePath|JoinsNamespaceOf|RestrictAddressFamilies|RestrictFileSystems|RestrictNetworkInterfaces|SystemCall\w+|MemoryDenyWriteExecute|CapabilityBoundingSet|AmbientCapabilities|SecureBits|Personality|AppArmorProfile|SELinuxContext|SmackProcessLabel|IPAddress\w+|IPIngress\w+|IPEgress\w+|SocketBind\w+|Device\w+|LoadCredential\w*|ImportCredential|SetCredential\w*|Limit(?:AS|DATA|RSS|NPROC|FSIZE|CPU|STACK|NOFILE)|WatchdogSec|JobTimeoutSec|JobRunningTimeoutSec|TimeoutSec|TimeoutStartSec|PAMName|TTY\w*|Standard\w+|Sockets|RequiresMountsFor|OpenFile)$/;

const LEAST_NICE = 10;
const LEAST_OOM_SCORE = 500;

/** Whether a setting has a service give way to all others. */
export function holdsBack(key: string, value: string): boolean {
  switch (key) {
    case "Nice":
      return Number(value) >= LEAST_NICE;
    case "OOMScoreAdjust":
      return Number(value) >= LEAST_OOM_SCORE;
    case "CPUSchedulingPolicy":
      return value === "idle";
    case "IOSchedulingClass":
      return /^(?:idle|3)$/.test(value);
    case "CPUWeight":
    case "StartupCPUWeight":
      return value === "idle" || Number(value) < 10;
    case "IOWeight":
      return Number(value) < 10;
    default:
      return false;
  }
}

/** Less is too little for a service that ends its connections, or its writing, in order. */
const LEAST_STOP_SECONDS = 5;
/** Targets that end a host's work, or all but a rescue of it. */
const ENDS_HOST = /\b(?:poweroff|reboot|halt|kexec|exit|rescue|emergency)\.target\b/;

/** What a setting does that is harmless with most values, as the end of a sentence about a service; undefined where it is harmless. */
export function harmOf(key: string, value: string): string | undefined {
  switch (key) {
    case "TimeoutStopSec":
    case "TimeoutAbortSec":
      return !/^(?:infinity|0)$/.test(value) &&
        (secondsOf(value) ?? Number.POSITIVE_INFINITY) < LEAST_STOP_SECONDS
        ? "is killed before it has ended in order"
        : undefined;
    case "KillMode":
      return /^(?:process|none)$/.test(value)
        ? "leaves processes behind when it ends, which keep its ports and its files"
        : undefined;
    case "SendSIGKILL":
      return NO.test(value) ? "is waited for without an end when it does not stop" : undefined;
    case "KillSignal":
    case "RestartKillSignal":
      return /^(?:SIG)?(?:KILL|9|SEGV|11|ABRT|6|STOP|19)$/.test(value) ? "never ends in order" : undefined;
    case "SuccessExitStatus":
      return /\b(?:1|134|137|139|(?:SIG)?(?:KILL|SEGV|ABRT|BUS))\b/.test(value)
        ? "is taken for done when it crashes"
        : undefined;
    case "StartLimitBurst":
      return value === "1" ? "is not started again when it dies twice" : undefined;
    case "OnFailure":
    case "OnSuccess":
      return ENDS_HOST.test(value) ? "takes the host with it when it ends" : undefined;
    case "StartLimitAction":
    case "FailureAction":
    case "SuccessAction":
    case "JobTimeoutAction":
      return value === "none" ? undefined : "takes the host with it when it ends";
    case "UMask":
      return /^0?[2-7]\d\d$/.test(value) ? "may not read the files that it makes" : undefined;
    default:
      return undefined;
  }
}

const YES = /^(?:1|yes|y|true|t|on)$/i;
export const NO = /^(?:0|no|n|false|f|off)$/i;

/** Values of those keys that are no risk. */
const SAFE: Readonly<Record<string, (value: string) => boolean>> = {
  ProtectSystem: (value) => NO.test(value) || YES.test(value) || value === "full",
  RestrictAddressFamilies: (value) =>
    value !== "none" &&
    !value.startsWith("~") &&
    ["AF_UNIX", "AF_INET", "AF_INET6"].every((each) => value.split(/\s+/).includes(each)),
  LimitNOFILE: (value) => atLeast(value.split(":").at(-1)!, 4096),
  LimitNPROC: (value) => atLeast(value.split(":").at(-1)!, 4096),
  LimitSTACK: (value) => isUnlimited(value),
  LimitAS: isUnlimited,
  LimitDATA: isUnlimited,
  LimitRSS: () => true,
  LimitFSIZE: isUnlimited,
  LimitCPU: isUnlimited,
  TimeoutStartSec: isLong,
  TimeoutSec: isLong,
  JobTimeoutSec: (value) => /^(?:infinity|0)$/.test(value),
  JobRunningTimeoutSec: (value) => /^(?:infinity|0)$/.test(value),
  WatchdogSec: (value) => value === "0" || value === "infinity",
  StandardOutput: isStandard,
  StandardError: isStandard,
  StandardInput: (value) => value === "null",
  SystemCallArchitectures: (value) => value === "native",
  SystemCallLog: () => true,
  SystemCallErrorNumber: () => true,
  ReadWritePaths: (value) => value.split(/\s+/).every((path) => path.startsWith("-")),
  ExecStartPre: isOptional,
  ExecStartPost: isOptional,
  ExecCondition: isOptional,
};

/** Whether a setting changes nothing about whether a service starts. */
export function isHarmless(key: string, value: string): boolean {
  if (HARMLESS.test(key) || SAFE[key]?.(value) === true) return true;
  return /^(?:Private|Dynamic|Memory|Mount)/.test(key) && NO.test(value);
}

/** Whether a setting without a value leaves nothing, where others go back to what they are by themselves. */
export function isEmptied(key: string): boolean {
  return key === "CapabilityBoundingSet";
}

/** Whether a setting may keep a service from starting: believed only when what runs was started with it. */
export function isRisky(key: string): boolean {
  return RISKY.test(key);
}

function isUnlimited(value: string): boolean {
  return value === "infinity";
}

function atLeast(value: string, least: number): boolean {
  return value === "infinity" || (/^\d+$/.test(value) && Number(value) >= least);
}

export function isLong(value: string): boolean {
  return value === "infinity" || value === "0" || (secondsOf(value) ?? 0) >= 30;
}

function isStandard(value: string): boolean {
  return /^(?:inherit|null|journal|kmsg|syslog|(?:journal|kmsg|syslog)\+console)$/.test(value);
}

/** Its failure does not count, or it cannot fail in earnest. */
function isOptional(value: string): boolean {
  return /^[@:+!|]*-/.test(value) || /^[@:+!]*(?:\/usr)?\/bin\/true\b/.test(value);
}

const UNITS: Readonly<Record<string, number>> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  sec: 1,
  m: 60,
  min: 60,
  h: HOUR,
  hr: HOUR,
  d: 86_400,
};

/** A span as systemd writes it, "5min 20s"; undefined when it is none. */
export function secondsOf(value: string): number | undefined {
  let seconds = 0;
  for (const word of value.replace(/(\d)\s+(?=[a-z])/g, "$1").split(/\s+/)) {
    for (const [all, number, unit] of word.matchAll(/([\d.]+)([a-z]*)/g)) {
      const factor = unit === "" ? 1 : UNITS[unit!];
      if (all === "" || factor === undefined) return undefined;
      seconds += Number(number) * factor;
    }
  }
  return seconds;
}

/** Variables that no service minds when it is given them by a drop-in of its own. */
export const HARMLESS_VARIABLE = /^(?:LANG|LANGUAGE|LC_\w+|TZ|TERM|MALLOC_ARENA_MAX)$/;
/** Variables that no service minds when all have them. */
export const PLAIN_VARIABLE =
  /^(?:LANG|LANGUAGE|LC_\w+|TZ|TERM|PATH|(?:https?|ftp|no|all)_proxy|(?:HTTPS?|FTP|NO|ALL)_PROXY|SYSTEMD_\w+|MESHCTL_\w+|NOTIFY_SOCKET|XDG_\w+|MALLOC_ARENA_MAX|DEBUGINFOD_URLS|container\w*)$/;
/** Variables that the dynamic linker, Java, Ruby, HAProxy's unit or the database go by, whoever sets them. */
export const TELLING_VARIABLE =
  /^(?:LD_\w+|GLIBC_TUNABLES|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|CLASSPATH|RUBY\w+|GEM_\w+|BUNDLE_\w+|OPENSSL_\w+|HAPROXY_\w+|MYSQL\w*|MARIADB\w*|UMASK\w*|PERL5?\w+)$/;
