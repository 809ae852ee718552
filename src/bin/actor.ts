/** Who the audit chain names for what a command did. */
import { userInfo } from 'node:os';

/** How the names begin that commands give themselves. */
export const COMMAND_LINE = 'command line: ';

/** `command line: NAME`; a number for users without a name, whom OpenShift gives to containers. */
export function commandLineActor(lookUp: () => { readonly username: string } = userInfo): string {
  return `${COMMAND_LINE}${userName(lookUp)}`;
}

function userName(lookUp: () => { readonly username: string }): string {
  try {
    return lookUp().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
