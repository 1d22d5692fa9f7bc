/** How a run ended, as a reviewer log records it. */

import type { TelemetryFrame } from '../frame/index.js';
import type { Exit } from '../kernel/child-exit.js';
import { snakeCase } from '../ndjson/snake-case.js';
import type { ReviewerLifecycleEventInit } from './schema.js';

/** The limit that the episode reached: a session's `exhausted` event. */
export interface ReachedLimit {
  readonly resource: string;
  readonly limit: number;
  readonly consumed: number;
  readonly action: string;
}

export interface RunEnd {
  readonly exit: Exit;
  readonly exhausted: ReachedLimit | null;
  /** Oom kills during the session; null if the kernel does not count them. */
  readonly oomKills: number | null;
}

type Told = Pick<ReviewerLifecycleEventInit, 'event' | 'reasonCode' | 'detail'>;

/**
 * Returns `run_complete` for exit code 0, whatever happened before; otherwise `run_crash`, with the first cause that
 * applies: the budget that had the run killed, an oom kill, the signal, the exit code, or an unknown end.
 */
export function toldOfEnd({ exit: { code, signal }, exhausted, oomKills }: RunEnd): Told {
  if (code === 0) return { event: 'run_complete' };
  const event = 'run_crash';
  if (signal === 'SIGKILL' && exhausted !== null && exhausted.action !== 'stop') {
    const { resource, limit, consumed } = exhausted;
    const detail = `the limit of ${resource} is ${limit}, and ${consumed} was consumed`;
    return { event, reasonCode: 'budget_exhausted', detail };
  }
  if (oomKills !== null && oomKills > 0) {
    const detail = `${oomKills} of its processes killed for want of memory`;
    return { event, reasonCode: 'oom_kill', detail };
  }
  if (signal !== null) return { event, reasonCode: signal, detail: `killed by ${signal}` };
  if (code === null) {
    return { event, reasonCode: 'unknown_exit', detail: 'how it ended is not known' };
  }
  return { event, reasonCode: `exit_code_${code}`, detail: `exit code ${code}` };
}

/** Returns the fields of a run's event beyond the schema; unknown ones are left out. */
export function factsOf(
  frame: TelemetryFrame,
  startMonoNs: number,
  { exit: { code, signal }, exhausted, oomKills }: RunEnd,
): { readonly [key: string]: unknown } {
  return present({
    exit_code: code,
    term_signal: signal,
    wall_ns: frame.tsMono - startMonoNs,
    cpu_ns: frame.cpuNs,
    mem_peak_bytes: frame.memPeakBytes,
    io_read_bytes: frame.ioReadBytes,
    io_write_bytes: frame.ioWriteBytes,
    oom_kills: oomKills,
    exhausted_resource: exhausted && snakeCase(exhausted.resource),
    exhausted_limit: exhausted?.limit,
    exhausted_consumed: exhausted?.consumed,
  });
}

function present(facts: { readonly [key: string]: unknown }): { readonly [key: string]: unknown } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value != null));
}
