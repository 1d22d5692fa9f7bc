/** The help texts, the version, and the errors of a wrong command line. */
import { createRequire } from 'node:module';

/** A wrong command line: one line that says what is wrong and what to do; exit status 2. */
export class UsageError extends Error {}

/** episcope itself cannot do what was asked: reported in one line before the command runs; exit status 125. */
export class Refusal extends Error {}

export const ExitStatus = {
  USAGE: 2,
  REFUSED: 125,
  CANNOT_RUN: 126,
  NOT_FOUND: 127,
  UNKNOWN: 255,
} as const;

export const MAIN_HELP = `Measures what one workload consumes, from the kernel's own files.

Usage:
  episcope run [options] -- command…   run a command, print what it consumed
  episcope doctor [options]            tell what this host offers

  --help       this text; "episcope run --help" and "episcope doctor --help" tell more
  --version    the version
`;

export const RUN_HELP = `Runs a command in an episode of its own and prints on stderr what it consumed.

Usage: episcope run [options] -- command [argument…]

  --period TIME    time between two frames, 1ms to 1h (default 100ms)
  --json FILE      write the summary as one JSON object
  --record FILE    record every frame: a header line, one frame a line, an end line
  --engine NAME    auto, native (the addon) or js (default auto)
  --tier TIER      auto, cgroup (all from cgroup v2), leaf (cpu from the cgroup, memory
                   and io from /proc) or proc (the process tree); default auto
  --scope MAKER    who makes the episode's cgroup: systemd (a transient scope), direct (writes to
                   the cgroup file system), or auto: systemd where it may be asked
  --id ID          the episode's id, 1 to 128 of [A-Za-z0-9_-]
  --quiet          no summary

Limits, of the command and all that it starts together:
  --cpu-ms TIME        cpu time
  --wall-ms TIME       time since the start
  --io-bytes SIZE      bytes read from and written to storage
  --memory-max SIZE    memory: enforced by the kernel (memory.max) if the episode's cgroup has the
                       memory controller, whatever --on-exhausted says; otherwise checked with
                       every frame, so that a burst between two frames is not stopped
  --on-exhausted WHAT  kill (default); freeze the cgroup, to be looked at, until SIGTERM or Ctrl-C;
                       stop the measuring only

Times are ms or have a unit (250us, 1.5s, 2m, 1h), sizes bytes or one of 1024 (64K, 512M, 1.5G):
  episcope run --cpu-ms 30s --memory-max 512M --wall-ms 2m -- make test

The command has stdin, stdout and stderr to itself. Processes that it leaves behind are killed.
Exit status: the command's own; 128+n if signal n ended it, so 137 if a limit had it killed; 127 if it does not exist and 126 if
it cannot be run; 125 if episcope cannot do what was asked; 255 if it is not known how it ended; 2 for a wrong command line.
`;

export const DOCTOR_HELP = `Tells what this host offers: cgroups, controllers, pressure, who may create scopes, which engine.

Usage: episcope doctor [options]

  --json     the same facts as one JSON object
  --clean    remove the scopes that dead runs left behind, and say which
`;

export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  const { version }: { version: string } = require('../../package.json');
  return version;
}
