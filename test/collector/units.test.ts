import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type BudgetDelta,
  BudgetTracker,
  type EndEntry,
  type SinkEntry,
  type StartOptions,
  TelemetryCollector,
  TelemetryPolicy,
  type Tripwire,
} from '../../src/index.js';
import { endLine } from '../../src/recorder/end.js';
import { factsOf } from '../../src/reviewer/run-end.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { until } from './waiting.js';

/** The kernel counts cpu in µs; the name of the resource says the unit of `limit` and `consumed`. */
interface Case {
  readonly resource: string;
  readonly json: string;
  readonly limits?: BudgetDelta;
  readonly tripwire?: Tripwire;
  /** What the episode uses up, or others charge. */
  readonly use: (cgroup: FixtureCgroup, budget: BudgetTracker) => void;
  readonly limit: number;
  readonly consumed: number;
}

const cpu = (cgroup: FixtureCgroup) => cgroup.cpu({ usage: 3_250, user: 60, system: 40 });
const io = (cgroup: FixtureCgroup) => cgroup.io({ read: 40_000, write: 2_500 });

const CASES: readonly Case[] = [
  {
    resource: 'cpuMs',
    json: 'cpu_ms',
    limits: { cpuMs: 2.5 },
    use: cpu,
    limit: 2.5,
    consumed: 3.25,
  },
  {
    resource: 'ioBytes',
    json: 'io_bytes',
    limits: { ioBytes: 42_000 },
    use: io,
    limit: 42_000,
    consumed: 42_500,
  },
  {
    resource: 'wallMs',
    json: 'wall_ms',
    limits: { wallMs: 1_000_000 },
    use: (_, budget) => void budget.tryCharge({ wallMs: 1_000_000 }),
    limit: 1_000_000,
    // And what has passed of the session.
    consumed: expect.toSatisfy((ms: number) => ms > 1_000_000 && ms < 1_100_000),
  },
  {
    resource: 'tokens',
    json: 'tokens',
    limits: { tokens: 7 },
    use: (_, budget) => void budget.tryCharge({ tokens: 9 }),
    limit: 7,
    consumed: 9,
  },
  {
    resource: 'toolCalls',
    json: 'tool_calls',
    limits: { toolCalls: 3 },
    use: (_, budget) => void budget.tryCharge({ toolCalls: 3 }),
    limit: 3,
    consumed: 3,
  },
  {
    resource: 'evidenceBytes',
    json: 'evidence_bytes',
    limits: { evidenceBytes: 4096 },
    use: (_, budget) => void budget.tryCharge({ evidenceBytes: 5000 }),
    limit: 4096,
    consumed: 5000,
  },
  {
    resource: 'cpuNs',
    json: 'cpu_ns',
    tripwire: { metric: 'cpuNs', atLeast: 2_500_000, exhausts: true },
    use: cpu,
    limit: 2_500_000,
    consumed: 3_250_000,
  },
  {
    resource: 'ioBytes',
    json: 'io_bytes',
    tripwire: { metric: 'ioBytes', atLeast: 42_000, exhausts: true },
    use: io,
    limit: 42_000,
    consumed: 42_500,
  },
  {
    resource: 'memRssBytes',
    json: 'mem_rss_bytes',
    tripwire: { metric: 'memRssBytes', atLeast: 16_000, exhausts: true },
    use: (cgroup) => cgroup.memory({ anon: 17_000, current: 20_000, peak: 20_000 }),
    limit: 16_000,
    consumed: 17_000,
  },
];

describe.each(ENGINES)(
  'limit and consumed are in the unit of the resource, engine %s',
  (engine) => {
    async function exhaust({ limits, tripwire, use }: Case) {
      const cgroup = new FixtureCgroup();
      onTestFinished(() => cgroup.remove());
      const budget = new BudgetTracker(limits);
      const policy = TelemetryPolicy.builder().samplePeriodMs(3_600_000).memoryStatPeriodMs(0);
      const entries: SinkEntry[] = [];
      const options: StartOptions = {
        cgroupPath: cgroup.path,
        recorder: { write: (entry) => void entries.push(entry) },
        ...(tripwire === undefined ? { budget, baseline: 'now' } : { tripwires: [tripwire] }),
      };
      const collector = new TelemetryCollector(policy.build(), { engine, requireCgroupfs: false });
      cgroup.cpu({ usage: 0, user: 0, system: 0 });
      cgroup.io({ read: 0, write: 0 });
      const handle = collector.start('units', process.pid, options);
      const told: { threshold?: unknown; exhausted?: unknown } = {};
      handle.on('threshold', (event) => {
        told.threshold = event;
      });
      handle.on('exhausted', (event) => {
        told.exhausted = event;
      });
      use(cgroup, budget);
      await handle.sampleNow();
      await until(() => handle.snapshot().stopReason === 'exhausted');
      await handle.stop();
      const end = entries.at(-1) as EndEntry;
      return { told, handle, end };
    }

    it.each(CASES)('$resource: $limit', async (each) => {
      const { told, handle, end } = await exhaust(each);
      const { resource, json, limit, consumed, tripwire } = each;
      const expected = { resource, limit, consumed };
      expect(told.exhausted).toMatchObject(expected);
      expect(told.threshold).toMatchObject(
        tripwire === undefined ? expected : { metric: resource, atLeast: limit, value: consumed },
      );
      expect(handle.snapshot().exhausted).toMatchObject(expected);
      expect(JSON.parse(endLine(end, { recorded: 0, missed: 0 })).exhausted).toMatchObject({
        resource: json,
        limit,
        consumed,
      });
      const { exhausted } = handle.snapshot();
      const exit = { code: null, signal: 'SIGKILL' } as const;
      const facts = factsOf(handle.latest()!, 0, { exit, exhausted, oomKills: null });
      expect(facts).toMatchObject({
        exhausted_resource: json,
        exhausted_limit: limit,
        exhausted_consumed: consumed,
      });
    });
  },
);

it.each(CASES.filter(({ limits }) => limits !== undefined))(
  'the errors of a budget are in the unit of $resource',
  ({ resource, limits, limit }) => {
    const budget = new BudgetTracker(limits);
    expect(budget.tryReserve({ [resource]: limit * 2 })).toMatchObject({
      resource,
      requested: limit * 2,
      remaining: limit,
      message: `the budget of ${resource} is exhausted: ${limit * 2} requested, ${limit} remaining`,
    });
  },
);
