import { expect, test } from 'vitest';
import { placeWithout } from '../../src/cli/tier.js';
import { Refusal } from '../../src/cli/usage.js';
import { CgroupError } from '../../src/error/index.js';
import { hostFacts } from '../../src/host/index.js';

const facts = hostFacts();
const cause = new CgroupError('ERR_SCOPE_CREATE', 'nobody may', {});

test('without a scope there is the process tree, where no other was asked for', () => {
  const { scope, source } = placeWithout(cause, { source: 'auto', strategy: 'auto' }, facts);
  expect({ scope, source }).toEqual({ scope: null, source: 'proc' });
});

test.each([
  ['auto', 'systemd', '--scope systemd is not possible here: nobody may; nothing was run'],
  ['auto', 'direct', '--scope direct is not possible here: nobody may; nothing was run'],
  ['leaf', 'auto', '--source leaf is not possible here: '],
  ['cgroup', 'auto', '--source cgroup is not possible here: '],
] as const)('--source %s with --scope %s is never given up in silence', (source, strategy, why) => {
  const place = () => placeWithout(cause, { source, strategy }, facts);
  expect(place).toThrow(Refusal);
  expect(place).toThrow(why);
});
