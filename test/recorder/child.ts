import { fileURLToPath } from 'node:url';

export const RECORDING_PROCESS: string = fileURLToPath(
  new URL('./recording-process.mjs', import.meta.url),
);

export interface Told {
  readonly doing: string;
  readonly error: { readonly code: string; readonly errno?: string; readonly file?: string } | null;
}
