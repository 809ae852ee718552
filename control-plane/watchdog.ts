/**
 * Ends a control plane when the process that started it ends in any way, kill -9 included: a shell
 * reads from a pipe whose other end only that process holds, and acts when the pipe closes.
 */
import { spawn } from 'node:child_process';

/** Lines `+PID` and `-PID` keep the list, `keep` lets everything live; the end of input acts. */
const SCRIPT = `
pids=" "
while read -r line; do
  case "$line" in
    +*) pids="$pids\${line#+} " ;;
    -*) gone=" \${line#-} "; pids="\${pids%%"$gone"*} \${pids#*"$gone"}" ;;
    keep) exit 0 ;;
  esac
done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
if [ -n "$1" ]; then
  for try in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && break; sleep 0.2; done
fi
`;

/** Knows the processes that must not outlive this one. */
export interface Watchdog {
  watch(pid: number): void;
  forget(pid: number): void;
  /** Ends what is watched and still runs, removes the folder, and ends itself. */
  release(): Promise<void>;
  /** Lets everything go on after this process; somebody else must stop it. */
  keep(): Promise<void>;
}

/** @param ownFolder removed at the end; undefined when the folder belongs to somebody else */
export function startWatchdog(ownFolder: string | undefined): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'keyward-watchdog', ownFolder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  shell.once('exit', () => resolve());
  shell.once('error', () => resolve());
  // The shell may be gone first when the machine shuts down; there is nothing left to tell it.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  const tell = (line: string): void => {
    if (!shell.stdin.writableEnded) shell.stdin.write(`${line}\n`);
  };
  const end = (): Promise<void> => {
    shell.ref();
    shell.stdin.end();
    return ended;
  };
  return {
    watch: (pid) => tell(`+${pid}`),
    forget: (pid) => tell(`-${pid}`),
    release: end,
    keep: () => {
      tell('keep');
      return end();
    },
  };
}
