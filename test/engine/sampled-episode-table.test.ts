import { describe, expect, it } from 'vitest';
import type { SamplerNews } from '../../src/engine/engine.js';
import { SampledEpisode } from '../../src/engine/js/sampled-episode.js';
import { type ExhaustAction, SampleOutcome } from '../../src/schema/enumerations.js';
import { FRAME_WORDS, FrameFlag, FrameWord } from '../../src/schema/layout.js';
import { readTable } from '../support/table.js';
import { ManualClock, ScriptedEpisode } from './scripted-episode.js';

const nsOf = (ms: string): bigint => BigInt(Math.round(Number(ms) * 1e6));
const msOf = (ns: bigint): string => String(Number(ns) / 1e6);

class Player {
  readonly #clock = new ManualClock();
  readonly #episode = new ScriptedEpisode(this.#clock);
  #sampled!: SampledEpisode;
  readonly #news: SamplerNews[] = [];

  async play([verb, ...args]: string[]): Promise<void> {
    const line = [verb, ...args].join(' ');
    const [first = '', second = ''] = args;
    switch (verb) {
      case 'set':
        for (const fact of args) this.#set(...(fact.split('=') as [string, string]));
        break;
      case 'start':
        this.#open(first as ExhaustAction, false);
        this.#wake();
        break;
      case 'drive':
        this.#open(first as ExhaustAction, true);
        break;
      case 'sample':
        this.#sampled.sample(0);
        break;
      case 'publish':
        this.#sampled.publish(new BigUint64Array(FRAME_WORDS), 0);
        break;
      case 'run':
        this.#run(nsOf(first));
        break;
      case 'wake':
        this.#clock.nowNs = nsOf(first);
        this.#wake();
        break;
      case 'hint':
        this.#sampled.exitHint();
        break;
      case 'request':
        for (const what of args) this.#request(...(what.split(':') as [string]));
        this.#wake();
        break;
      case 'answer':
        this.#episode.enforced[Number(first) - 1]!.done(second === 'ok' ? null : second);
        await new Promise(setImmediate);
        break;
      default:
        expect(this.#expected(verb!), line).toEqual(args);
    }
  }

  #open(onExhausted: ExhaustAction, byHand: boolean): void {
    const sampling = {
      byHand,
      periodNs: nsOf('100'),
      fastPeriodNs: nsOf('25'),
      tripwires: [],
      onExhausted,
      notifyEvery: 0,
      anchorNs: 0n,
    };
    this.#sampled = new SampledEpisode(this.#episode, sampling, this.#clock.read);
    this.#sampled.onPost = () => this.#wake();
  }

  #wake(): void {
    this.#sampled.wake(this.#clock.nowNs);
  }

  #run(untilNs: bigint): void {
    for (let at = this.#sampled.wakeNs; at !== null && at <= untilNs; at = this.#sampled.wakeNs) {
      if (at > this.#clock.nowNs) this.#clock.nowNs = at;
      this.#wake();
    }
    if (untilNs > this.#clock.nowNs) this.#clock.nowNs = untilNs;
  }

  #request(what: string, first = '', second = ''): void {
    if (what === 'frame') this.#sampled.requestFrame(Number(first), 0);
    else if (what === 'end') this.#sampled.requestEnd();
    else if (what === 'period') this.#sampled.requestPeriod(nsOf(first), nsOf(second));
    else throw new Error(`unknown request: ${what}`);
  }

  #set(fact: string, value: string): void {
    const episode = this.#episode;
    const yes = value === 'yes';
    switch (fact) {
      case 'root':
        episode.rootGone = value === 'gone';
        break;
      case 'ended':
        episode.hasEnded = yes;
        break;
      case 'cgroup':
        episode.hasCgroup = yes;
        break;
      case 'outside':
        episode.livesOutside = yes;
        break;
      case 'enforced':
        episode.hasComeAbout = yes;
        break;
      case 'counters':
        episode.countersMove = value === 'moving';
        break;
      case 'speedup':
        episode.speedUp = yes;
        break;
      case 'wall':
        episode.wallDueNs = nsOf(value);
        break;
      case 'exhausts':
        episode.outcome = yes ? SampleOutcome.EXHAUSTED : 0;
        episode.exhaustion = {
          resource: 0,
          limit: 1n,
          consumed: 1n,
          seq: 0,
          tsNs: 0n,
          lateNs: null,
        };
        break;
      case 'cost':
        episode.costNs = nsOf(value);
        break;
      default:
        throw new Error(`unknown fact: ${fact}`);
    }
  }

  #expected(what: string): string[] {
    const episode = this.#episode;
    this.#news.push(this.#sampled.takeNews());
    switch (what) {
      case 'frames':
        return episode.frames.map(flagNames);
      case 'wakes':
        return [this.#wakes()];
      case 'missed':
        return [String(episode.missed)];
      case 'looked':
        return episode.lookedAtNs.splice(0).map(msOf);
      case 'remembered':
        return episode.rememberedAtNs.splice(0).map(msOf);
      case 'settled':
        return this.#since('settled', episode.settledAtNs).map(msOf);
      case 'acted':
        return this.#since('acted', episode.enforced).map(({ action, outside }) =>
          outside ? `${action}:outside` : action,
        );
      case 'failed':
        return this.#told('failedActions').map(({ action, errno, next }) =>
          [action, errno ?? 'none', next].join(':'),
        );
      case 'replies':
        return this.#told('replies').map(
          ({ request, words }) => `${request}:${words[FrameWord.SEQ]}`,
        );
      case 'exhausted':
        return [this.#toldOnce() ? 'yes' : 'no'];
      case 'end':
        return [this.#end()];
      default:
        throw new Error(`the table has an unknown verb: ${what}`);
    }
  }

  #wakes(): string {
    const { wakeNs } = this.#sampled;
    if (wakeNs === null) return 'never';
    return wakeNs <= this.#clock.nowNs ? 'at_once' : msOf(wakeNs);
  }

  readonly #seen = new Map<string, number>();

  #since<T>(what: string, list: readonly T[]): readonly T[] {
    const seen = this.#seen.get(what) ?? 0;
    this.#seen.set(what, list.length);
    return list.slice(seen);
  }

  #told<K extends 'failedActions' | 'replies'>(kind: K): readonly SamplerNews[K][number][] {
    return this.#since(
      kind,
      this.#news.flatMap((news): readonly SamplerNews[K][number][] => news[kind]),
    );
  }

  #toldOnce(): boolean {
    return this.#since('exhausted', this.#news).some(({ exhausted }) => exhausted !== null);
  }

  #end(): string {
    const ended = this.#news.find((news) => news.ended !== null)?.ended;
    if (ended == null) return 'no';
    return ended.exited ? 'exited' : 'stopped';
  }
}

function flagNames(flags: number): string {
  if ((flags & FrameFlag.INITIAL) !== 0) return 'initial';
  return (flags & FrameFlag.TERMINAL) !== 0 ? 'terminal' : '-';
}

describe('a sampled episode', () => {
  it.each(readTable('sampled-episode.txt'))('%s', async (_, lines) => {
    const player = new Player();
    expect.hasAssertions();
    for (const line of lines) await player.play(line.split(' '));
  });
});
