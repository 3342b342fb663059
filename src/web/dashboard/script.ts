/** The script of the dashboard. Every page works without it. */

/** JavaScript. */
export const SCRIPT = '"use strict";\n';
