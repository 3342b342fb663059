/** What is called as an App is, and is none. */
export const app = {};
