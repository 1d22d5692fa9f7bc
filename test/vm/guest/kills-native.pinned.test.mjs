import { testKills } from './kills.mjs';

testKills('native', '1');
