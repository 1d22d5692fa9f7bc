/** How many of these lines the first `written` bytes of them hold whole, and in how many bytes. */
export function wholeLines(
  lines: readonly Buffer[],
  written: number,
): { readonly lines: number; readonly bytes: number } {
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    if (bytes + line.length > written) return { lines: index, bytes };
    bytes += line.length;
  }
  return { lines: lines.length, bytes };
}
