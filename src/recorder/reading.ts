/** One pass over a recording: what its lines say, in their order, and whether they may follow one another. */
import { invalidConfig } from '../error/index.js';
import { TelemetryFrame } from '../frame/index.js';
import { endFromJson, type RecordingEnd } from './end.js';
import type { RecordingHeader } from './header.js';
import { gapFromJson, quarantineFromJson } from './mark-lines.js';
import { EXACT } from './shape.js';

export class Reading<N extends number | bigint> {
  /** Of the newest file. */
  header: RecordingHeader | null = null;
  end: RecordingEnd<N> | null = null;
  missed = 0;
  isTorn = false;
  readonly quarantines: string[] = [];
  readonly #bigint: boolean;
  #frames = 0;
  #lastSeq = -1n;
  /** Frames that gap lines told since the last frame. */
  #gap = 0n;
  /** Files before this place were dropped, and what they held is not counted yet. */
  #isAfterDropped = false;
  #nextPart = 0;

  constructor(bigint: boolean) {
    this.#bigint = bigint;
  }

  /** The header of the next file. */
  beginPart({ part, episodeId }: RecordingHeader): void {
    this.#assertNotEnded();
    if (part < this.#nextPart) throw invalidConfig('the files of the recording are out of order');
    if (part > this.#nextPart) this.#isAfterDropped = true;
    this.#nextPart = part + 1;
    this.#assertEpisode(episodeId);
  }

  /** What a line after the header says: the frame, if it is one. Throws what is wrong with it. */
  take(json: unknown): TelemetryFrame<N> | null {
    this.#assertNotEnded();
    switch (kindOf(json)) {
      case undefined:
        return this.#takeFrame(json);
      case 'gap': {
        const missed = gapFromJson(json);
        this.missed += missed;
        this.#gap += BigInt(missed);
        return null;
      }
      case 'quarantine':
        this.quarantines.push(quarantineFromJson(json));
        return null;
      case 'end':
        this.#takeEnd(json);
        return null;
      case 'header':
        throw invalidConfig('a second header');
      default:
        throw invalidConfig('a line of an unknown kind');
    }
  }

  #takeFrame(json: unknown): TelemetryFrame<N> {
    // The mode was chosen together with N.
    const frame = TelemetryFrame.fromJSON(json, { bigint: this.#bigint }) as TelemetryFrame<N>;
    this.#assertEpisode(frame.episodeId);
    // Of the JSON: the number in the frame may be rounded.
    const seq = EXACT.read('seq', (json as { seq: unknown }).seq);
    if (seq <= this.#lastSeq) {
      throw invalidConfig(`seq ${seq} does not follow ${this.#lastSeq}`);
    }
    if (this.#isAfterDropped) {
      const untold = seq - this.#lastSeq - 1n - this.#gap;
      this.missed += Math.max(0, Number(untold));
      this.#isAfterDropped = false;
    }
    this.#frames += 1;
    this.#lastSeq = seq;
    this.#gap = 0n;
    return frame;
  }

  #takeEnd(json: unknown): void {
    const end = endFromJson(json, (exact) => (this.#bigint ? exact : Number(exact)) as N);
    this.#assertEpisode(end.episodeId);
    // No frame came after the dropped files that would tell what they held: the session's own count does.
    if (this.#isAfterDropped) {
      this.missed = Math.max(this.missed, end.framesRecorded + end.framesMissed - this.#frames);
    }
    this.end = end;
  }

  #assertNotEnded(): void {
    if (this.end !== null) throw invalidConfig('a line after the end');
  }

  #assertEpisode(episodeId: string): void {
    if (episodeId === this.header?.episodeId) return;
    throw invalidConfig(`the recording is of ${this.header?.episodeId}, not of ${episodeId}`);
  }
}

/** A frame has none. */
function kindOf(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) throw invalidConfig('a line must be an object');
  return Object.hasOwn(json, 'kind') ? ((json as { kind: unknown }).kind ?? null) : undefined;
}
