// Not here yet.
import { empty } from '../ui/states';
import type { View } from '../view';

export const view: View = {
  show({ root }) {
    root.append(empty('Settings: not here yet.'));
  },
};
