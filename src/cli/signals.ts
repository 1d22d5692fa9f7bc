/** Passing signals on to the command: those that were sent to episcope itself, each once. */
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { decodeSignals, type ProcessControl, SI_KERNEL } from '../host/process-control.js';
import { readProcessStat } from '../host/process-identity.js';

/** All that may be sent to end, interrupt or tell a program something; the ones that stop it stop us both. */
const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGWINCH',
] as const satisfies NodeJS.Signals[];

/** Keys in a terminal signal its whole foreground group, so the command has had them already. */
const TERMINAL_KEYS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/** Asked first, of a terminal's keys too: true takes the signal away from the command. */
export type SignalTaker = (signal: NodeJS.Signals) => boolean;

/** Where signals go: the ChildProcess, as long as it runs. */
export interface SignalTarget {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): boolean;
}

/**
 * From its construction on none of these signals ends episcope, which has to outlive the command. What arrives
 * while there is no command is kept for the next: there is one more where a launcher could not enter its cgroup.
 */
export class SignalForwarder {
  #target: SignalTarget | null = null;
  #early: NodeJS.Signals[] = [];
  #takes: SignalTaker = () => false;

  constructor(control: ProcessControl | null) {
    const numbers = FORWARDED.map((name) => constants.signals[name]);
    const watched = control?.watchSignals(numbers);
    if (watched !== undefined && 'fd' in watched) this.#readRecords(watched.fd);
    else this.#listen();
  }

  /** The command runs: it gets what came before, and what comes from now on unless `takes` takes it. */
  forwardTo(target: SignalTarget, takes: SignalTaker): void {
    this.#target = target;
    this.#takes = takes;
    for (const signal of this.#early.splice(0)) target.kill(signal);
  }

  /** The command, or what was to become it, has ended. */
  end(): void {
    this.#target = null;
    this.#takes = () => false;
  }

  // si_code tells a terminal's signal from one that somebody sent to us.
  #readRecords(fd: number): void {
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.unref();
    pipe.on('data', (chunk) => {
      for (const { signo, code, senderPid } of decodeSignals(chunk)) {
        const name = FORWARDED.find((each) => constants.signals[each] === signo);
        if (name === undefined || this.#takes(name)) continue;
        if (code === SI_KERNEL) continue;
        // A command that signals its whole group reaches us too, and has had the signal itself.
        if (senderPid !== 0 && senderPid === this.#target?.pid) continue;
        this.#forward(name);
      }
    });
    pipe.on('error', () => {});
  }

  #listen(): void {
    for (const name of FORWARDED) {
      process.on(name, () => {
        if (this.#takes(name)) return;
        if (TERMINAL_KEYS.includes(name) && isInForeground()) return;
        this.#forward(name);
      });
    }
  }

  #forward(signal: NodeJS.Signals): void {
    if (this.#target === null) this.#early.push(signal);
    else this.#target.kill(signal);
  }
}

function isInForeground(): boolean {
  const stat = readProcessStat('self');
  return stat !== null && stat.terminalGroup > 0 && stat.terminalGroup === stat.processGroup;
}
