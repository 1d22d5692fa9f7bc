/** What the examples of the documents take for granted: a process to measure, a collector, a running session. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BudgetTracker, FrameReader, TelemetryCollector, type TelemetryHandle } from 'episcope';

const child = spawn('sleep', ['60'], { stdio: 'ignore' });
child.unref();
process.once('exit', () => child.kill('SIGKILL'));

export const pid: number = child.pid as number;
export const collector: TelemetryCollector = new TelemetryCollector();
export const handle: TelemetryHandle = collector.start('given', pid);
export const budget: BudgetTracker = new BudgetTracker({ cpuMs: 60_000 });
export const reader: FrameReader = new FrameReader(handle.share());

const mount = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'));
/** A cgroup's directory; '' where there is no cgroup2 mount. */
export const path: string = mount?.[1] ?? '';

/** A module for a worker. */
export const file: URL = new URL('data:text/javascript,');
