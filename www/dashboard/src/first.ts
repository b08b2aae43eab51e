// Runs before the first paint: the theme.
import { applyTheme, chosenTheme } from './theme';

applyTheme(chosenTheme());
