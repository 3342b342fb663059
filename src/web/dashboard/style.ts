/** The style sheet of the dashboard. */

/** CSS. */
export const STYLE = ":root { color-scheme: light dark; font: 16px system-ui, sans-serif; }\n";
