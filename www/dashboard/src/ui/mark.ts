// Shoreline's mark: two waves.
import { s } from '../dom';

/** The mark, for beside the name. */
export const mark = (): SVGElement =>
  s(
    'svg',
    { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    s('path', { d: 'M2 9c3.500-4 6.500-4 10 0s6.500 4 10 0M2 16c3.500-4 6.500-4 10 0s6.500 4 10 0' }),
  );
