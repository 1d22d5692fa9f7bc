/** Recordings: what a session promotes, written as NDJSON that survives a kill, and read back as frames. */
export type { RecordingEnd, RecordingTotals } from './end.js';
export type { RecordingHeader, RecordingHost } from './header.js';
export { FrameRecorder, type FrameRecorderOptions } from './recorder.js';
export { type Recording, readRecording } from './recording.js';
