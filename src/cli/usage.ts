/** Help texts, and what a wrong command line is. */

/** A wrong command line: one line that says what is wrong and what to do; exit status 2. */
export class UsageError extends Error {}

/** episcope itself cannot do what was asked: told in one line before the command runs; exit status 125. */
export class Refusal extends Error {}

export const ExitStatus = { USAGE: 2, REFUSED: 125, CANNOT_RUN: 126, NOT_FOUND: 127 } as const;

export const MAIN_HELP = `Measures what one workload consumes, from the kernel's own files.

Usage:
  episcope run [options] -- command…   run a command, print what it consumed
  episcope doctor [options]            tell what this host offers

  --help       this text; "episcope run --help" and "episcope doctor --help" tell more
  --version    the version
`;

export const RUN_HELP = `Runs a command in an episode of its own and prints on stderr what it consumed.

Usage: episcope run [options] -- command [argument…]

  --period MS      time between two frames, 1 to 3600000 (default 100)
  --json FILE      write the summary as one JSON object
  --record FILE    write every frame as one line of JSON
  --engine NAME    auto, native (the addon) or js (default auto)
  --source TIER    auto, cgroup (all from cgroup v2), leaf (cpu from the cgroup, memory
                   and io from /proc) or proc (the process tree); default auto
  --id ID          the episode's id, 1 to 128 of [A-Za-z0-9_-]
  --quiet          no summary

The command has stdin, stdout and stderr to itself. What is left of it when it ends is killed.
Exit status: the command's own; 128+n if signal n ended it; 127 if it does not exist and 126 if
it cannot be run; 125 if episcope cannot do what was asked; 2 for a wrong command line.
`;

export const DOCTOR_HELP = `Tells what this host offers: cgroups, controllers, pressure, who may create scopes, which engine.

Usage: episcope doctor [options]

  --json     the same facts as one JSON object
  --clean    remove the scopes that dead runs left behind, and say which
`;
