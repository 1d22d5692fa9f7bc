import { testKills } from './kills.mjs';

testKills('js', '2');
