import { describe, expect, test } from 'vitest';
import {
  HIGH_FREQ_MULTIPLIER,
  MAX_RING_BUFFER_CAPACITY,
  MAX_SAMPLE_PERIOD_MS,
  MIN_RING_BUFFER_CAPACITY,
  MIN_SAMPLE_PERIOD_MS,
  PromoteTriggers,
  TelemetryPolicy,
} from '../../src/policy/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

test('the defaults', () => {
  const defaults = {
    samplePeriodMs: 1000,
    ringBufferCapacity: 1024,
    promoteTriggers: PromoteTriggers.default,
    highFreqThresholdPercent: 80,
    highFreqEnabled: true,
    memoryStatPeriodMs: 100,
  };
  expect({ ...new TelemetryPolicy() }).toEqual(defaults);
  expect({ ...TelemetryPolicy.builder().build() }).toEqual(defaults);
});

describe('INV-TL06: the sample period is within 1 ms and one hour', () => {
  test('the bounds are those of the contract', () => {
    expect([MIN_SAMPLE_PERIOD_MS, MAX_SAMPLE_PERIOD_MS]).toEqual([1, 3_600_000]);
  });

  test.each([
    [0, 1],
    [1, 1],
    [3_600_000, 3_600_000],
    [3_600_001, 3_600_000],
  ])('build() makes of %i ms %i', (given, period) => {
    expect(TelemetryPolicy.builder().samplePeriodMs(given).build().samplePeriodMs).toBe(period);
  });

  test.each([0, 3_600_001])('tryBuild() and the constructor refuse %i', (samplePeriodMs) => {
    expect(() => TelemetryPolicy.builder().samplePeriodMs(samplePeriodMs).tryBuild()).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
    expect(() => new TelemetryPolicy({ samplePeriodMs })).toThrow(RangeError);
  });
});

describe('INV-TL07: the ring holds 1 to 65,536 frames', () => {
  test('the bounds are those of the contract', () => {
    expect([MIN_RING_BUFFER_CAPACITY, MAX_RING_BUFFER_CAPACITY]).toEqual([1, 65_536]);
  });

  test.each([
    [0, 1],
    [65_537, 65_536],
  ])('build() makes of %i %i, tryBuild() and the constructor refuse it', (given, capacity) => {
    const builder = TelemetryPolicy.builder().ringBufferCapacity(given);
    expect(builder.build().ringBufferCapacity).toBe(capacity);
    expect(() => builder.tryBuild()).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => new TelemetryPolicy({ ringBufferCapacity: given })).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
  });
});

describe('the other bounds', () => {
  test('build() clamps, tryBuild() refuses', () => {
    const builder = TelemetryPolicy.builder()
      .highFreqThresholdPercent(101)
      .memoryStatPeriodMs(10 ** 9);
    expect(builder.build()).toMatchObject({
      highFreqThresholdPercent: 100,
      memoryStatPeriodMs: 3_600_000,
    });
    expect(() => builder.tryBuild()).toThrow(code('ERR_OUT_OF_RANGE'));
  });

  test('a percentage may have a fraction', () => {
    expect(new TelemetryPolicy({ highFreqThresholdPercent: 12.5 }).highFreqThresholdPercent).toBe(
      12.5,
    );
  });

  test.each(['samplePeriodMs', 'ringBufferCapacity', 'memoryStatPeriodMs'] as const)(
    '%s: a negative, NaN, an infinity and a fraction are refused by all three',
    (name) => {
      for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1.5]) {
        expect(() => TelemetryPolicy.builder()[name](value).build()).toThrow(RangeError);
        expect(() => TelemetryPolicy.builder()[name](value).tryBuild()).toThrow(
          code('ERR_OUT_OF_RANGE'),
        );
        expect(() => new TelemetryPolicy({ [name]: value })).toThrow(code('ERR_OUT_OF_RANGE'));
      }
      for (const value of ['5', null, 5n, {}]) {
        expect(() =>
          TelemetryPolicy.builder()
            [name](value as number)
            .build(),
        ).toThrow(code('ERR_INVALID_CONFIG'));
      }
    },
  );

  test('triggers and switches of another type are ERR_INVALID_CONFIG', () => {
    expect(() => new TelemetryPolicy({ promoteTriggers: {} as PromoteTriggers })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
    expect(() =>
      TelemetryPolicy.builder()
        .highFreqEnabled(1 as never)
        .build(),
    ).toThrow(code('ERR_INVALID_CONFIG'));
    expect(() => new TelemetryPolicy(null as never)).toThrow(code('ERR_INVALID_CONFIG'));
  });
});

describe('high frequency', () => {
  test('divides the period by four while it is active', () => {
    expect(HIGH_FREQ_MULTIPLIER).toBe(4);
    const policy = new TelemetryPolicy({ samplePeriodMs: 1000 });
    expect(policy.effectiveSamplePeriodMs(false)).toBe(1000);
    expect(policy.effectiveSamplePeriodMs(true)).toBe(250);
  });

  test('never goes below 1 ms', () => {
    expect(new TelemetryPolicy({ samplePeriodMs: 3 }).effectiveSamplePeriodMs(true)).toBe(1);
    expect(new TelemetryPolicy({ samplePeriodMs: 7 }).effectiveSamplePeriodMs(true)).toBe(1);
  });

  test('is off where it is not enabled', () => {
    const policy = new TelemetryPolicy({ highFreqEnabled: false });
    expect(policy.effectiveSamplePeriodMs(true)).toBe(1000);
  });
});

describe('risk tiers', () => {
  const { none, default: standard, all } = PromoteTriggers;

  test.each([
    [0, 5000, 64, none, 90, false],
    [1, 2000, 256, standard, 85, true],
    [2, 1000, 512, standard, 80, true],
    [3, 500, 1024, all, 75, true],
    [4, 500, 1024, all, 75, true],
  ])('tier %i', (tier, samplePeriodMs, ringBufferCapacity, promoteTriggers, percent, enabled) => {
    expect(TelemetryPolicy.forRiskTier(tier)).toMatchObject({
      samplePeriodMs,
      ringBufferCapacity,
      promoteTriggers,
      highFreqThresholdPercent: percent,
      highFreqEnabled: enabled,
    });
  });

  test.each([-1, 5, 1.5, Number.NaN, '1', 'length', undefined])('there is no tier %s', (tier) => {
    expect(() => TelemetryPolicy.forRiskTier(tier as number)).toThrow(code('ERR_OUT_OF_RANGE'));
  });
});

describe('triggers', () => {
  test('have three presets', () => {
    expect({ ...PromoteTriggers.none }).toEqual({
      onTermination: false,
      onQuarantine: false,
      onBudgetThreshold: false,
      periodicFrames: 0,
    });
    expect(PromoteTriggers.default).toMatchObject({
      onTermination: true,
      onQuarantine: true,
      onBudgetThreshold: false,
      periodicFrames: 0,
    });
    expect(PromoteTriggers.all).toMatchObject({ onBudgetThreshold: true, periodicFrames: 100 });
  });

  test('refuse what is no count and no switch', () => {
    expect(() => new PromoteTriggers({ periodicFrames: -1 })).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => new PromoteTriggers({ periodicFrames: 0.5 })).toThrow(RangeError);
    expect(() => new PromoteTriggers({ onTermination: 1 as never })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
  });
});

test('policies and triggers do not change', () => {
  expect(() => Object.assign(new TelemetryPolicy(), { samplePeriodMs: 1 })).toThrow(TypeError);
  expect(() => Object.assign(PromoteTriggers.all, { periodicFrames: 1 })).toThrow(TypeError);
});
