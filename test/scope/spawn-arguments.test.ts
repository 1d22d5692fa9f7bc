import { expect, it } from 'vitest';
import { spawnInScope } from '../../src/index.js';

const id = 'arguments';

it.each<[string, readonly unknown[]]>([
  ['no arguments', ['true']],
  ['no options', ['true', []]],
  ['options that are null', ['true', [], null]],
  ['arguments that are a text', ['true', 'x', { id }]],
  ['an argument that is no text', ['true', ['a', 5], { id }]],
  ['a hole among the arguments', ['true', new Array(1), { id }]],
  ['a NUL in an argument', ['true', ['a\0b'], { id }]],
  ['half a character in an argument', ['true', ['\ud800'], { id }]],
  ['a NUL in the command', ['tr\0ue', [], { id }]],
  ['a command that is no text', [7, [], { id }]],
  ['a directory that is no path', ['true', [], { id, cwd: 5 }]],
  ['a NUL in the directory', ['true', [], { id, cwd: '/\0' }]],
  ['an environment that is none', ['true', [], { id, env: 'PATH=/' }]],
  ['a NUL in a variable', ['true', [], { id, env: { A: 'b\0c' } }]],
  ['a NUL in the name of a variable', ['true', [], { id, env: { 'A\0': 'b' } }]],
  ['a variable without a name', ['true', [], { id, env: { '': 'b' } }]],
  ['a name with =', ['true', [], { id, env: { 'A=B': 'c' } }]],
  ['stdio that is none', ['true', [], { id, stdio: 'pip' }]],
  ['stdio with an entry that is none', ['true', [], { id, stdio: ['pipe', {}] }]],
  ['stdio that is a number', ['true', [], { id, stdio: 1 }]],
  ['stdio that is an object', ['true', [], { id, stdio: {} }]],
  ['a variable that cannot be text', ['true', [], { id, env: { A: Symbol('a') } }]],
  ['a variable without toString', ['true', [], { id, env: { A: Object.create(null) } }]],
  ['an inherited name with =', ['true', [], { id, env: Object.create({ 'A=B': 'c' }) }]],
  ['options that are an array', ['true', [], []]],
  ['a user that is no number', ['true', [], { id, uid: 'root' }]],
  ['a time that is none', ['true', [], { id, timeout: -1 }]],
  ['a signal that does not exist', ['true', [], { id, killSignal: 'SIGNOPE' }]],
  ['a hook that is no function', ['true', [], { id, beforeExec: {} }]],
])('%s is ERR_INVALID_CONFIG', async (_, given) => {
  const spawn = spawnInScope as (...args: readonly unknown[]) => Promise<unknown>;
  await expect(spawn(...given)).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
  );
});
