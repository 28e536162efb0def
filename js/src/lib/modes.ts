// What happens when a name is taken, in words; the platform's spelling is the key.
import { t } from "./i18n";
import type { WriteMode } from "./messages";

export const modes = (): Record<WriteMode, string> => ({ KEEP: t("Keep both"), OVERWRITE: t("Overwrite"), FAIL: t("Fail") });
