import { homedir, userInfo } from "node:os";

interface LocalUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

let known: LocalUser | undefined;

/** Whoever runs meshctl. A uid that the machine has no name for, as containers give one, goes by its number. */
export function localUser(): LocalUser {
  // The system is asked each time, which a fleet of thousands feels.
  known ??= lookUp();
  return known;
}

function lookUp(): LocalUser {
  try {
    // Where OpenSSH looks for its files, whatever $HOME says.
    const { username, uid, homedir: home } = userInfo();
    return { name: username, uid, home };
  } catch {
    const uid = process.getuid?.() ?? 0;
    return { name: process.env.LOGNAME || process.env.USER || String(uid), uid, home: homedir() };
  }
}
