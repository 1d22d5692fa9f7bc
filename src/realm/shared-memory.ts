const byteLengthOf = Object.getOwnPropertyDescriptor(
  SharedArrayBuffer.prototype,
  'byteLength',
)?.get;

/**
 * The bytes of shared memory of whatever realm; null for any other value. The getter answers for nothing else:
 * `instanceof` is false in another realm and may be told lies, and a subclass may have a `byteLength` of its own.
 */
export function sharedBytesOf(value: unknown): number | null {
  try {
    return byteLengthOf?.call(value) ?? null;
  } catch {
    return null;
  }
}
