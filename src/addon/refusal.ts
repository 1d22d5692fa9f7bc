import type { NativeFailure, NativeRefusal } from './binding.js';

/** Whether a constructor of the addon threw this. Also recognizes an error of another realm than ours. */
export function isRefusal(thrown: unknown): thrown is NativeFailure | NativeRefusal {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'errno' in thrown;
}
