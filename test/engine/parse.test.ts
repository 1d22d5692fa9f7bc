import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePids } from '../../src/kernel/text/pids.js';
import type { ParseReason } from '../../src/schema/enumerations.js';
import { KERNEL_TEXTS, type KernelText, parseKernelText } from '../support/kernel-texts.js';

const MAX = 2n ** 63n - 1n;
const KERNELS = new URL('../fixtures/kernel/', import.meta.url);

function parse(kind: KernelText, text: string) {
  return parseKernelText(kind, Buffer.from(text, 'latin1'));
}

type Values = readonly (bigint | null)[];

function accepts(kind: KernelText, text: string, values: Values): void {
  expect(parse(kind, text)).toEqual({ ok: true, values });
}

function refuses(kind: KernelText, text: string, offset: number, reason: ParseReason): void {
  expect(parse(kind, text)).toEqual({ ok: false, offset, reason });
}

describe('texts that a kernel printed', () => {
  const cases: readonly [string, KernelText, Values][] = [
    ['6.1/cpu.stat', 'cpu.stat', [2477979000n, 2159524000n, 318455000n, 49n, 2487402000n]],
    ['6.1/memory.current', 'memory.current', [1495040n]],
    ['6.1/memory.peak', 'memory.current', [1613824n]],
    ['6.1/pids.current', 'memory.current', [1n]],
    ['6.1/memory.stat', 'memory.stat', [57344n, 262n, 0n]],
    ['6.1/memory.events', 'memory.events', [0n]],
    ['6.1/cgroup.events', 'cgroup.events', [1n, 0n]],
    ['6.1/io.stat', 'io.stat', [8192n, 1048576n, 2n, 1n]],
    ['6.1/cpu.pressure', 'pressure', [2272734000n, 2272733000n]],
    ['6.1/memory.pressure', 'pressure', [0n, 0n]],
    ['6.1/io.pressure', 'pressure', [2277000n, 2277000n]],
    ['6.1/proc.stat', 'proc.stat', [0x52n, 131n, 59n, 0n, 0n, 0n, 0n, 2n, 0n, 0n, 1n, 1604n]],
    ['6.1/proc.statm', 'proc.statm', [581n, 1n, 0n]],
    ['6.1/proc.io', 'proc.io', [1052111n, 1048885n, 271n, 264n, 8192n, 1048576n]],
    ['6.18/cpu.stat', 'cpu.stat', [276294000n, 260694000n, 15600000n, null, null]],
    ['6.18/cgroup.events', 'cgroup.events', [1n, 0n]],
    ['6.18/cpu.pressure', 'pressure', [27570000n, 21969000n]],
    ['6.18/memory.pressure', 'pressure', [0n, 0n]],
    ['6.18/io.pressure', 'pressure', [0n, 0n]],
    [
      '6.18/proc.stat',
      'proc.stat',
      [0x52n, 10567n, 3141n, 0n, 0n, 0n, 36n, 3n, 0n, 0n, 7n, 311567n],
    ],
    ['6.18/proc.statm', 'proc.statm', [248237n, 11814n, 9596n]],
    ['6.18/proc.io', 'proc.io', [250616n, 1049287n, 99n, 11n, 0n, 1093632n]],
  ];

  it.each(cases)('%s', (file, kind, values) => {
    const text = readFileSync(new URL(file, KERNELS));
    expect(parseKernelText(kind, text)).toEqual({ ok: true, values });
  });
});

describe('flat keyed text is parsed by key, never by position', () => {
  const CPU = 'usage_usec 1\nuser_usec 2\nsystem_usec 3';

  it('in any order, without the last newline, with unknown keys unread', () => {
    accepts('cpu.stat', 'x y z\n\nsystem_usec 3\nuser_usec 2\nusage_usec 1', [
      1000n,
      2000n,
      3000n,
      null,
      null,
    ]);
    accepts('cpu.stat', `${CPU}\nnr_throttled 4\nthrottled_usec 5\n`, [
      1000n,
      2000n,
      3000n,
      4n,
      5000n,
    ]);
    accepts('memory.events', 'oom 9\noom_kill 1\noom_kill_x 7\n', [1n]);
  });

  it('of a key that stands twice the last counts', () => {
    accepts('memory.events', 'oom_kill 1\noom_kill 2\n', [2n]);
  });

  it('a value is exact to 2^63 − 1 and saturates beyond, however many digits it has', () => {
    accepts('cgroup.events', 'populated 9007199254740993', [9007199254740993n, null]);
    accepts('cgroup.events', 'populated 9223372036854775807', [MAX, null]);
    accepts('cgroup.events', 'populated 9223372036854775808', [MAX, null]);
    accepts('cgroup.events', `populated ${'9'.repeat(60_000)}`, [MAX, null]);
    accepts('cgroup.events', `populated ${'0'.repeat(60_000)}7`, [7n, null]);
    accepts('cpu.stat', 'usage_usec 9223372036854776\nuser_usec 0\nsystem_usec 0\n', [
      MAX,
      0n,
      0n,
      null,
      null,
    ]);
  });

  it.each<[string, string, number, ParseReason]>([
    ['an empty file', '', 0, 'empty file'],
    ['no known key', '\n', 1, 'missing key'],
    ['the first missing required key', 'user_usec 1\nsystem_usec 2\n', 26, 'missing key'],
    ['a letter in the number', 'usage_usec 12a\n', 13, 'malformed number'],
    ['a sign', 'usage_usec -1\n', 11, 'malformed number'],
    ['an empty value', 'usage_usec \nuser_usec 1\n', 11, 'malformed number'],
    ['a second space', 'usage_usec  1\n', 11, 'malformed number'],
    ['something behind the number', 'usage_usec 1 2\n', 12, 'malformed number'],
    ['a carriage return', 'usage_usec 1\r\n', 12, 'malformed number'],
    ['max is no number', 'usage_usec max\n', 11, 'malformed number'],
    ['a key alone on its line', 'usage_usec\nuser_usec 1\n', 10, 'missing value'],
    ['a key where the text ends', 'user_usec 1\nusage_usec', 22, 'missing value'],
    ['a malformed optional key', `${CPU}\nnr_throttled x\n`, 52, 'malformed number'],
    ['a NUL in the number', 'usage_usec 1\0\n', 12, 'malformed number'],
  ])('refuses %s', (_, text, offset, reason) => {
    refuses('cpu.stat', text, offset, reason);
  });

  it('memory.stat needs no key, but some text', () => {
    accepts('memory.stat', 'file 3\n', [null, null, null]);
    accepts('memory.stat', 'pgfault 3\n', [null, 3n, null]);
    refuses('memory.stat', '', 0, 'empty file');
  });

  it('a gauge of 2^63 and more went below zero in the kernel; a counter of that size saturates', () => {
    refuses('memory.stat', 'anon 18446744073709547520\n', 5, 'gauge below zero');
    accepts('memory.stat', 'anon 4096\npgfault 18446744073709547520\n', [4096n, MAX, null]);
    accepts('memory.stat', 'anon 4096\nfile 18446744073709547520\n', [4096n, null, null]);
  });

  it('a number that is printed signed is 0 below zero', () => {
    accepts('memory.stat', 'anon -4096\npgfault -1\n', [0n, 0n, null]);
    accepts('memory.stat', `anon -${'9'.repeat(30)}\n`, [0n, null, null]);
    refuses('memory.stat', 'anon -\n', 6, 'malformed number');
    refuses('memory.stat', 'anon --1\n', 6, 'malformed number');
  });
});

describe('a file of one number', () => {
  it('may end with one newline', () => {
    accepts('memory.current', '0', [0n]);
    accepts('memory.current', '4096\n', [4096n]);
    accepts('memory.current', `${MAX}\n`, [MAX]);
    accepts('memory.current', '-3\n', [0n]);
  });

  it.each<[string, number, ParseReason]>([
    ['', 0, 'empty file'],
    ['\n', 0, 'malformed number'],
    ['max\n', 0, 'malformed number'],
    ['12 \n', 2, 'malformed number'],
    ['12x', 2, 'malformed number'],
    ['12\n\n', 3, 'trailing bytes'],
    ['-', 1, 'malformed number'],
    ['9223372036854775808\n', 0, 'gauge below zero'],
    ['18446744073709543424\n', 0, 'gauge below zero'],
    ['9'.repeat(60_000), 0, 'gauge below zero'],
    ['12\n13\n', 3, 'trailing bytes'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('memory.current', text, offset, reason);
  });
});

describe('pressure', () => {
  it('takes total= wherever it stands on the line; full may be absent', () => {
    accepts('pressure', 'some total=5 avg10=x\n', [5000n, null]);
    accepts('pressure', 'full total=1\nnone total=x\nsome avg10=0.00  total=2', [2000n, 1000n]);
  });

  it.each<[string, number, ParseReason]>([
    ['', 0, 'empty file'],
    ['full total=1\n', 13, 'missing key'],
    ['something total=1\n', 18, 'missing key'],
    ['some\n', 5, 'missing key'],
    ['some avg10=0.00\nfull total=1\n', 15, 'missing value'],
    ['some \n', 5, 'missing value'],
    ['some total=\n', 11, 'malformed number'],
    ['some total=1.5\n', 12, 'malformed number'],
    ['some total=1\nfull total=x', 24, 'malformed number'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('pressure', text, offset, reason);
  });
});

describe('io.stat', () => {
  it.each<[string, string, Values]>([
    ['nothing was read or written yet', '', [0n, 0n, 0n, 0n]],
    ['a torn device at the end', '8:0 rbytes=1 wbytes=2 rios=3 wios=4\n252:0 ', [1n, 2n, 3n, 4n]],
    ['devices without keys', '7:7 \n7:6\n', [0n, 0n, 0n, 0n]],
    ['several devices in a row', '8:0 8:16 rbytes=5\n', [5n, 0n, 0n, 0n]],
    ['an unknown device', '(unknown) wbytes=5 \n', [0n, 5n, 0n, 0n]],
    ['sums over devices', '8:0 rios=1\n8:1 rios=2 wios=3\n8:2  rios=4\n', [0n, 0n, 7n, 3n]],
    ['keys that are not ours, unread', '8:0 cost.usage=x =1 rbytes2=y\n', [0n, 0n, 0n, 0n]],
    ['sums that saturate', `8:0 rbytes=${MAX}\n8:1 rbytes=1\n`, [MAX, 0n, 0n, 0n]],
  ])('%s', (_, text, values) => {
    accepts('io.stat', text, values);
  });

  it.each<[string, number, ParseReason]>([
    ['8:0 rbytes=1\nrbytes=1\n', 13, 'key before a device'],
    ['dbytes=1', 0, 'key before a device'],
    ['8:0 rbytes=\n', 11, 'malformed number'],
    ['8:0 rbytes=1x wios=1\n', 12, 'malformed number'],
    ['8:0 rbytes=-1', 11, 'malformed number'],
    ['sda rbytes=1\n', 0, 'malformed device'],
    ['8: \n', 0, 'malformed device'],
    [':0 \n', 0, 'malformed device'],
    ['8:0x\n', 0, 'malformed device'],
    ['8:0:1\n', 0, 'malformed device'],
    ['8:0 (unknown)) \n', 4, 'malformed device'],
    ['8:0\trbytes=1\n', 0, 'key before a device'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('io.stat', text, offset, reason);
  });
});

describe('/proc/<pid>/stat', () => {
  const FIELDS = 'S 2 3 4 5 -1 7 8 9 10 11 12 13 14 15 20 0 1 0 99';
  const VALUES = [0x53n, 2n, 8n, 9n, 10n, 11n, 12n, 13n, 14n, 15n, 1n, 99n];

  it('the fields begin after the last parenthesis: comm may hold anything', () => {
    accepts('proc.stat', `1 (a) ${FIELDS}`, VALUES);
    accepts('proc.stat', `1 (a) R 9\n(x)) b) ${FIELDS} 100 -5\n`, VALUES);
    accepts('proc.stat', `1 (\xff\n) ${FIELDS}\nrest`, VALUES);
  });

  it('cutime, cstime and num_threads below zero are 0', () => {
    const text = `1 (a) ${FIELDS.replace('14 15 20 0 1', '-14 -25 20 0 -1')}`;
    accepts('proc.stat', text, [...VALUES.slice(0, 8), 0n, 0n, 0n, 99n]);
  });

  it('fields that are not ours are not looked at', () => {
    accepts('proc.stat', `1 (a) ${FIELDS.replace('3 4 5 -1 7', 'x    -y')}`, VALUES);
  });

  it.each<[string, number, ParseReason]>([
    ['', 0, 'empty file'],
    ['1 a S', 5, 'missing field'],
    ['1 (a', 4, 'missing field'],
    ['1 (a)', 5, 'missing field'],
    ['1 (a) ', 6, 'missing field'],
    ['1 (a)\n S 2', 10, 'missing field'],
    ['1 (a) SS 2', 6, 'missing field'],
    ['1 (a)  2', 6, 'missing field'],
    ['1 (a) S', 7, 'missing field'],
    ['1 (a) S\n', 8, 'missing field'],
    ['1 (a) S -2', 8, 'malformed number'],
    ['1 (a) S  2', 8, 'malformed number'],
    [`1 (a) ${FIELDS.replace(' 99', '')}`, 51, 'missing field'],
    [`1 (a) ${FIELDS.replace('99', '\n')}`, 53, 'missing field'],
    [`1 (a) ${FIELDS.replace(' 15 ', ' 1x5 ')}`, 41, 'malformed number'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('proc.stat', text, offset, reason);
  });
});

describe('/proc/<pid>/statm', () => {
  it('takes the first three numbers', () => {
    accepts('proc.statm', '1 2 3', [1n, 2n, 3n]);
    accepts('proc.statm', '1 2 3 x\n', [1n, 2n, 3n]);
    accepts('proc.statm', '0 0 0 0 0 0 0\n', [0n, 0n, 0n]);
    accepts('proc.statm', '1000 -3 0 1 0 10 0\n', [1000n, 0n, 0n]);
    refuses('proc.statm', '1000 18446744073709551613 0', 5, 'gauge below zero');
  });

  it.each<[string, number, ParseReason]>([
    ['', 0, 'empty file'],
    ['\n', 1, 'missing field'],
    ['1 2\n3', 5, 'missing field'],
    ['1 2 ', 4, 'missing field'],
    ['1  3 4', 2, 'malformed number'],
    ['1 x 3', 2, 'malformed number'],
    ['1 2 3x', 5, 'malformed number'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('proc.statm', text, offset, reason);
  });
});

describe('/proc/<pid>/io', () => {
  it('rchar and the like may be absent', () => {
    accepts('proc.io', 'read_bytes: 1\nwrite_bytes: 2\n', [null, null, null, null, 1n, 2n]);
  });

  it.each<[string, number, ParseReason]>([
    ['', 0, 'empty file'],
    ['read_bytes: 1\n', 14, 'missing key'],
    ['read_bytes:1\n', 12, 'missing value'],
    ['read_bytes:\n', 11, 'missing value'],
    ['read_bytes\n', 10, 'missing value'],
    ['read_bytes: \n', 12, 'malformed number'],
    ['read_bytes:  1\n', 12, 'malformed number'],
    ['read_bytes 1\nwrite_bytes: 2\n', 28, 'missing key'],
  ])('refuses %j', (text, offset, reason) => {
    refuses('proc.io', text, offset, reason);
  });
});

describe('lists of pids', () => {
  function pidsOf(text: string): { pids: number[]; whole: boolean } {
    const pids: number[] = [];
    return { whole: parsePids(Buffer.from(text), text.length, pids), pids };
  }

  it('one a line or between spaces; 0 is a process of another pid namespace', () => {
    expect(pidsOf('12\n0\n13\n')).toEqual({ whole: true, pids: [12, 0, 13] });
    expect(pidsOf('12 13 ')).toEqual({ whole: true, pids: [12, 13] });
    expect(pidsOf('')).toEqual({ whole: true, pids: [] });
  });

  it.each(['12\nx\n13', '12\n-1', '12 2147483648'])('%j is read up to the fault', (text) => {
    expect(pidsOf(text)).toEqual({ whole: false, pids: [12] });
  });
});

it('no text is read behind its end: the shared buffer holds bytes of earlier ones', () => {
  for (const kind of KERNEL_TEXTS) {
    const whole = Buffer.from('populated 1\nusage_usec 5\n');
    expect(parseKernelText(kind, whole.subarray(0, 0))).toEqual(parse(kind, ''));
    expect(parseKernelText(kind, whole.subarray(0, 10))).toEqual(parse(kind, 'populated '));
  }
});
