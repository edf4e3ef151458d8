import type { SshSettings } from "../inventory/ssh-settings.ts";
import type { Denied } from "./conversation.ts";

/** Why root could not be had, and what to do about it. */
export function privilegeAdvice(denied: Denied, settings: Pick<SshSettings, "sudoPassword">): string {
  const said = denied.said === "" ? "" : ` It said: ${denied.said}.`;
  const { tool } = denied;
  if (tool === "root") {
    return `the login user has uid ${denied.uid} and privilege is root. Log in as root, or set ssh.privilege to sudo.`;
  }
  if (denied.exitCode === 127) {
    return `${tool} is not installed on the host. Install it, or log in as root.`;
  }
  if (tool === "doas") {
    return `doas -n was refused.${said} Allow it in /etc/doas.conf: permit nopass USER`;
  }
  if (settings.sudoPassword !== undefined) {
    return `sudo did not take the password.${said} Check ssh.sudo_password and the user's sudo rules (sudo -l).`;
  }
  return `sudo was refused without a password.${said} Set ssh.sudo_password, or allow it: USER ALL=(ALL) NOPASSWD: ALL in /etc/sudoers.d.`;
}
