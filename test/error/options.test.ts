import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { assertOptions } from '../../src/error/index.js';
import {
  appendReviewerEventNdjson,
  BudgetTracker,
  CgroupReader,
  createEpisodeScope,
  FrameReader,
  FrameRecorder,
  isCgroupV2Available,
  newSharedCollector,
  ProcReader,
  ProjectionSummary,
  ProjectionSummaryEmitter,
  PromoteTriggers,
  ReviewerTelemetryWriter,
  readRecording,
  readReviewerProjectionEvents,
  removeEpisodeScope,
  spawnInScope,
  TelemetryCollector,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';

const KEYS = { budget: true, onExhausted: true, root: true } as const;

it.each([
  ['bugdet', 'options must have no "bugdet": did you mean budget?'],
  ['onexhausted', 'options must have no "onexhausted": did you mean onExhausted?'],
  ['rot', 'options must have no "rot": did you mean root?'],
  ['colour', 'options must have no "colour": there are budget, onExhausted, root'],
  ['', 'options must have no "": there are budget, onExhausted, root'],
  ['toString', 'options must have no "toString": there are budget, onExhausted, root'],
  ['x'.repeat(100_000), expect.stringMatching(/^options must have no "x{64}…": there are/)],
])('the unknown key %.20s is named, and the nearest that there is, or all', (key, message) => {
  expect(() => assertOptions('options', { [key]: undefined }, KEYS as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_CONFIG', message }),
  );
});

it('known keys pass, also without a prototype; what is no object does not', () => {
  assertOptions('options', { budget: 1 }, KEYS as never);
  assertOptions('options', Object.assign(Object.create(null), { root: 1 }), KEYS as never);
  for (const value of [null, 7, 'text', undefined, []]) {
    expect(() => assertOptions('options', value, KEYS as never)).toThrow('must be an object');
  }
});

it.each<[string, object]>([
  ['an array', []],
  ['a Map', new Map([['budget', 1]])],
  ['a Set', new Set()],
  ['a Date', new Date()],
  ['a Map of another realm', runInNewContext('new Map([["cpuMs", 1]])')],
])('%s is no options and no budget: what it holds would be ignored', (_, value) => {
  const message = 'options must be an object';
  expect(() => assertOptions('options', value, KEYS as never)).toThrow(message);
  expect(() => new BudgetTracker(value as never)).toThrow('an object by resource');
});

it('options of another realm pass, as a budget and as any', () => {
  assertOptions('options', runInNewContext('({ budget: 1 })'), KEYS as never);
  expect(new BudgetTracker(runInNewContext('({ cpuMs: 1 })')).limits.cpuMs).toBe(1);
});

const refused = expect.objectContaining({ code: 'ERR_INVALID_CONFIG' });
// Whatever is not checked here would be typed wrongly: that is the point.
const misspelled = { misspelled: 1 } as never;

describe.each(ENGINES)('an option that does not exist is refused, engine %s', (engine) => {
  const collector = new TelemetryCollector(undefined, { engine });
  const writer = new ReviewerTelemetryWriter('/nowhere/log.ndjson', { singleProcess: true });
  const filter = { prNumber: 1, misspelled: 1 } as never;
  const handle = collector.start('options', process.pid, { manual: true });

  it.each<[string, () => unknown]>([
    ['a collector', () => new TelemetryCollector(undefined, { engine, cgroupRot: '/' } as never)],
    ['a shared collector', () => newSharedCollector(undefined, misspelled)],
    ['start', () => collector.start('x', process.pid, { bugdet: new BudgetTracker() } as never)],
    [
      'a tripwire',
      () => startWith({ tripwires: [{ metric: 'cpuNs', atLeast: 1, exhaust: true }] }),
    ],
    ['frames', () => handle.frames({ form: 'latest' } as never)],
    ['a policy', () => new TelemetryPolicy({ periodMs: 5 } as never)],
    ['triggers', () => new PromoteTriggers({ onExit: true } as never)],
    ['a budget', () => new BudgetTracker({ cpuNs: 1 } as never)],
    [
      'a cgroup reader',
      () => CgroupReader.fromPath('/', { engine, requireCgroupFs: false } as never),
    ],
    ['that of an episode', () => CgroupReader.forEpisode('x', { engine, rooot: '/' } as never)],
    ['a process reader', () => new ProcReader(process.pid, { engine, trees: false } as never)],
    ['a read', () => readOnce({ bigInt: true })],
    ['a frame reader', () => new FrameReader(handle.share(), { bigInt: true } as never)],
    ['a recorder', () => new FrameRecorder('/nowhere', { rotateByte: 1 } as never)],
    ['a recording', () => readRecording('/nowhere', { bigInt: true } as never)],
    ['a reviewer log', () => new ReviewerTelemetryWriter('/nowhere/log', misspelled)],
    ['an append', () => writer.append({}, misspelled)],
    ['an append without a writer', () => appendReviewerEventNdjson('/nowhere/l', {}, misspelled)],
    ['a projection', () => readReviewerProjectionEvents('/nowhere/log', filter)],
    ['a summary', () => new ProjectionSummary({ ...SUMMARY, misspelled: 1 } as never)],
    ['an emitter', () => new ProjectionSummaryEmitter({ minIntervalMS: 5 } as never)],
    ['a scope', () => createEpisodeScope('x', process.pid, {}, misspelled)],
    ['a limit', () => createEpisodeScope('x', process.pid, { memoryMax: 1 } as never)],
    ['a quota', () => createEpisodeScope('x', process.pid, quotaOf({ quotaUs: 1 }))],
    ['the removal of a scope', () => removeEpisodeScope('x', { kil: true } as never)],
    ['a start in a scope', () => spawnInScope('true', [], { id: 'x', tiemout: 5 } as never)],
    ['the host', () => isCgroupV2Available({ procRot: '/' } as never)],
  ])('of %s', async (_, make) => {
    await expect((async () => make())()).rejects.toThrow(refused);
  });

  it('what has no text is refused as anything else', async () => {
    expect(() => new TelemetryCollector(undefined, { engine: 1n } as never)).toThrow(refused);
    for (const pid of [Symbol('pid'), Object.create(null)]) {
      await expect(createEpisodeScope('x', pid)).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_PID' }),
      );
    }
  });

  it('what to do at a limit needs one', () => {
    const refusals: [object, string][] = [
      [{ onExhausted: 'kill' }, 'onExhausted needs a limit'],
      [{ onExhausted: 'stop', tripwires: [{ metric: 'cpuNs', atLeast: 1 }] }, 'needs a limit'],
      [{ baseline: 'now' }, 'baseline needs a budget'],
    ];
    for (const [options, message] of refusals) expect(() => startWith(options)).toThrow(message);
  });

  function startWith(options: object): unknown {
    return collector.start('x', process.pid, options as never);
  }

  function readOnce(options: object): unknown {
    using reader = new ProcReader(process.pid, { engine });
    return reader.readCpu(options as never);
  }
});

const SUMMARY = { sha: 'a', currentHeadSha: 'a', security: '', quality: '', recentEvents: '' };

function quotaOf(cpuQuota: object): never {
  return { cpuQuota } as never;
}
