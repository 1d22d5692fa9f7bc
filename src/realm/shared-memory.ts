const byteLengthOf = Object.getOwnPropertyDescriptor(
  SharedArrayBuffer.prototype,
  'byteLength',
)?.get;

/**
 * The size in bytes of shared memory of any realm; null for any other value. The getter throws for anything else, while
 * `instanceof` is false in another realm and can be deceived, and a subclass may define its own `byteLength`.
 */
export function sharedBytesOf(value: unknown): number | null {
  try {
    return byteLengthOf?.call(value) ?? null;
  } catch {
    return null;
  }
}
