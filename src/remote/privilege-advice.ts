import type { Denied } from "./conversation.ts";

/** The exit code with which a shell says that there is no such program. */
export const NOT_INSTALLED = 127;

/** Why root could not be had, and what to do about it. */
export function privilegeAdvice(denied: Denied, hadPassword: boolean): string {
  const said = denied.said === "" ? "" : ` It said: ${denied.said}.`;
  const { tool } = denied;
  if (tool === "root") {
    return `the login user has uid ${denied.uid} and privilege is root. Log in as root, or set ssh.privilege to sudo.`;
  }
  if (denied.exitCode === NOT_INSTALLED) {
    return `${tool} is not installed on the host. Install it, or log in as root.`;
  }
  if (tool === "doas") {
    return `doas -n was refused.${said} Allow it in /etc/doas.conf: permit nopass USER`;
  }
  if (hadPassword) {
    return `sudo did not take the password.${said} Check ssh.sudo_password and the user's sudo rules (sudo -l).${TERMINAL}`;
  }
  return `sudo was refused without a password.${said} Set ssh.sudo_password, or allow it: USER ALL=(ALL) NOPASSWD: ALL in /etc/sudoers.d.${TERMINAL}`;
}

// meshctl gives it none: a terminal mixes the two outputs and shows what is typed.
const TERMINAL = " If it wants a terminal: Defaults:USER !requiretty.";
