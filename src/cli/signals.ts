/** Passes signals that were sent to episcope itself on to the command, each once. */
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeSignals,
  type ProcessControl,
  SI_KERNEL,
  type SignalRecord,
} from '../kernel/process-control.js';
import { catchesSignal, readProcessStat } from '../kernel/process-identity.js';

/** The first two cannot be caught, and SIGCHLD is about the children of episcope. */
const NEVER_FORWARDED: readonly string[] = ['SIGKILL', 'SIGSTOP', 'SIGCHLD'];

/**
 * Without the addon the sender of a signal is unknown. A fault of episcope itself would be raised again and again under
 * a listener of Node, and a write by episcope to a closed pipe, or beyond a limit, raises the last two.
 */
const NEVER_HEARD: readonly string[] = [
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGPIPE',
  'SIGXFSZ',
];

/** All signals that have a name, with one name per number. */
const NAMES: ReadonlyMap<number, NodeJS.Signals> = new Map(
  (Object.entries(constants.signals) as [NodeJS.Signals, number][])
    .filter(([name]) => !NEVER_FORWARDED.includes(name))
    .map(([name, signo]) => [signo, name]),
);

/** `watchSignals` skips those that the C library itself uses. */
const REAL_TIME: readonly number[] = Array.from({ length: 33 }, (_, i) => 32 + i);

/** A terminal sends these to a whole group, so the command has already received them. */
const OF_GROUP: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGQUIT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGWINCH',
];
/** A terminal that hangs up signals the leader of its session; the group only after the leader's end. */
const OF_LEADER: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGCONT'];

const STOPPING: readonly NodeJS.Signals[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'];
/** One second for the command to stop. It counts as stopped after two checks in a row: a kill stops it for less. */
const STOP_LOOKS = 40;
const STOP_INTERVAL_MS = 25;

/** Called first, also for signals of a terminal's keys; returning true withholds the signal from the command. */
export type SignalTaker = (signal: NodeJS.Signals) => boolean;

/** The target of signals: the ChildProcess, as long as it runs. */
export interface SignalTarget {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * From its construction on none of these signals ends episcope, which must outlive the command. Signals that arrive
 * while there is no command are kept for the next one: another is started if a launcher could not enter its cgroup. A
 * signal that stops the command stops episcope too, as a shell expects of its job.
 */
export class SignalForwarder {
  #target: SignalTarget | null = null;
  #early: number[] = [];
  readonly #takesEarly: SignalTaker;
  #takes: SignalTaker;
  readonly #listensToStops: boolean;
  readonly #onStop = (_: string, signo: number): void => this.#arrived(signo, isInForeground());

  /** `takesEarly` is called while there is no command. */
  constructor(control: ProcessControl | null, takesEarly: SignalTaker = () => false) {
    this.#takesEarly = takesEarly;
    this.#takes = takesEarly;
    // V8's profiler, while it runs, signals this process with SIGPROF.
    const named = [...NAMES].filter(([signo, name]) => name !== 'SIGPROF' || !catchesSignal(signo));
    const watched = control?.watchSignals([...named.map(([signo]) => signo), ...REAL_TIME]);
    const isWatched = watched !== undefined && 'fd' in watched;
    this.#listensToStops = !isWatched;
    if (isWatched) this.#readRecords(watched.fd);
    else this.#listen(named.map(([, name]) => name));
  }

  /** Called when the command runs: it gets the earlier signals, and later ones unless `takes` takes them. */
  forwardTo(target: SignalTarget, takes: SignalTaker): void {
    this.#target = target;
    this.#takes = takes;
    // With a listener of Node, a write to a terminal that raises SIGTTOU would be retried for ever.
    if (this.#listensToStops) for (const name of STOPPING) process.on(name, this.#onStop);
    for (const signo of this.#early.splice(0)) this.#forward(signo);
  }

  /** Called when the command, or its launcher, has ended. */
  end(): void {
    this.#target = null;
    this.#takes = this.#takesEarly;
    if (this.#listensToStops) for (const name of STOPPING) process.off(name, this.#onStop);
  }

  #readRecords(fd: number): void {
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.unref();
    pipe.on('data', (chunk) => {
      for (const record of decodeSignals(chunk)) {
        this.#arrived(record.signo, isNotForCommand(record, this.#target?.pid));
      }
    });
    pipe.on('error', () => {});
  }

  #listen(names: readonly NodeJS.Signals[]): void {
    for (const name of names) {
      if (NEVER_HEARD.includes(name) || STOPPING.includes(name)) continue;
      process.on(name, (_: string, signo: number) => {
        this.#arrived(signo, OF_GROUP.includes(name) && isInForeground());
      });
    }
  }

  #arrived(signo: number, isNotForCommand: boolean): void {
    const name = NAMES.get(signo);
    if (name !== undefined && this.#takes(name)) return;
    if (!isNotForCommand) this.#forward(signo);
    if (name !== undefined && STOPPING.includes(name)) this.#stopWithCommand().catch(() => {});
  }

  #forward(signo: number): void {
    if (this.#target === null) this.#early.push(signo);
    else send(this.#target, signo);
  }

  async #stopWithCommand(): Promise<void> {
    const target = this.#target;
    let hadStopped = target === null;
    for (let looks = 0; looks < STOP_LOOKS && this.#target === target; looks += 1) {
      const pid = target?.pid;
      const hasStopped = pid === undefined || readProcessStat(pid)?.state === 'T';
      if (hadStopped && hasStopped) {
        process.kill(process.pid, 'SIGSTOP');
        return;
      }
      hadStopped = hasStopped;
      await sleep(STOP_INTERVAL_MS, undefined, { ref: false });
    }
  }
}

/** Node sends a signal without a name only to a pid, not to a child. */
function send(target: SignalTarget, signo: number): void {
  const name = NAMES.get(signo);
  if (name !== undefined) target.kill(name);
  else if (target.pid !== undefined) sendByNumber(target.pid, signo);
}

function sendByNumber(pid: number, signo: number): void {
  try {
    process.kill(pid, signo);
  } catch {
    // The command has ended, or changed its user.
  }
}

/** Whether, by `si_code` and sender, the command already got the signal or it concerns episcope itself. */
export function isNotForCommand(
  { signo, code, senderPid }: SignalRecord,
  command?: number,
): boolean {
  // A write of episcope to a closed pipe, or a command that signals its whole group.
  if (senderPid !== 0 && (senderPid === process.pid || senderPid === command)) return true;
  if (code !== SI_KERNEL) return false;
  const name = NAMES.get(signo);
  if (name === undefined) return false;
  // The RLIMIT_CPU of episcope itself.
  if (name === 'SIGXCPU' || OF_GROUP.includes(name)) return true;
  return OF_LEADER.includes(name) && readProcessStat('self')?.session !== process.pid;
}

/** Returns false also if no descriptor is left to check: a duplicate signal is better than a lost one. */
function isInForeground(): boolean {
  try {
    const stat = readProcessStat('self');
    return stat !== null && stat.terminalGroup > 0 && stat.terminalGroup === stat.processGroup;
  } catch {
    return false;
  }
}
