import { userInfo } from "node:os";

/** Whoever runs meshctl. A uid that the machine has no name for, as containers give one, goes by its number. */
export function localUser(): { readonly name: string; readonly uid: number } {
  try {
    const { username, uid } = userInfo();
    return { name: username, uid };
  } catch {
    const uid = process.getuid?.() ?? 0;
    return { name: process.env.LOGNAME || process.env.USER || String(uid), uid };
  }
}
