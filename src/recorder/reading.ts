/** One pass over a recording: decodes its lines in order and checks that each may follow the one before. */
import { invalidConfig } from '../error/index.js';
import { TelemetryFrame } from '../frame/index.js';
import { endFromJson, type RecordingEnd } from './end.js';
import type { RecordingHeader } from './header.js';
import { gapFromJson, quarantineFromJson } from './mark-lines.js';
import { EXACT } from './shape.js';

export class Reading<N extends number | bigint> {
  /** The header of the newest file. */
  header: RecordingHeader | null = null;
  end: RecordingEnd<N> | null = null;
  missed = 0;
  isTorn = false;
  readonly quarantines: string[] = [];
  readonly #bigint: boolean;
  #frames = 0;
  #lastSeq = -1n;
  /** Frames counted by gap lines since the last frame. */
  #gap = 0n;
  /** Files before this position were dropped, and their frames are not counted yet. */
  #isAfterDropped = false;
  #nextPart = 0;

  constructor(bigint: boolean) {
    this.#bigint = bigint;
  }

  /** Begins the next file with its header. */
  beginPart({ part, episodeId }: RecordingHeader): void {
    this.#assertNotEnded();
    if (part < this.#nextPart) throw invalidConfig('the files of the recording are out of order');
    if (part > this.#nextPart) this.#isAfterDropped = true;
    this.#nextPart = part + 1;
    this.#assertEpisode(episodeId);
  }

  /** Takes a line after the header and returns its frame, or null for another line. Throws if the line is invalid. */
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
    // Read from the JSON, because the number in the frame may be rounded.
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
    // No frame after the dropped files shows how many they held, so the session's own count is used.
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

/** Returns the `kind` of a line; undefined for a frame, which has none. */
function kindOf(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) throw invalidConfig('a line must be an object');
  return Object.hasOwn(json, 'kind') ? ((json as { kind: unknown }).kind ?? null) : undefined;
}
